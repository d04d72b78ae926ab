"""Learning how long tasks take, from the attempts that ended; by upkeep, beside what settles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.store import Store

EVENTS: Final = 4_000
"""One round looks at so many events."""


async def learn(store: Store, limit: int = EVENTS) -> bool:
    """Learn from the attempts in the next events; return whether there may be more to learn.

    Any number of processes may do it: who comes second finds that the cursor has moved, and changes nothing.
    """
    lesson = await store.lessons(limit)
    if lesson.upto == lesson.since:
        return False
    seen = {}
    if lesson.ended:
        known = (await store.durations()).learned(lesson.ended, store.now())
        seen = {work: known.seen[work] for work in {ended.work for ended in lesson.ended}}
    return await store.learn(lesson.since, lesson.upto, seen) and lesson.more
