"""Learning how long tasks take, from the attempts that ended; by upkeep, beside what settles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stanchion.store import Store

EVENTS: Final = 4_000
"""One round looks at so many events; those that came after them are passed over, or a busy line would pay for it."""


async def learn(store: Store, limit: int = EVENTS) -> None:
    """Learn from the attempts in the next events.

    Any number of processes may do it: who comes second finds that the cursor has moved, and changes nothing.
    """
    lesson = await store.lessons(limit)
    if lesson.upto == lesson.since:
        return
    seen = {}
    if lesson.ended:
        known = (await store.durations()).learned(lesson.ended, store.now())
        seen = {work: known.seen[work] for work in {ended.work for ended in lesson.ended}}
    upto = (await store.tail()).event if lesson.more else lesson.upto
    await store.learn(lesson.since, upto, seen)
