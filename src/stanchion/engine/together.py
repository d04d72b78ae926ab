"""One call for several jobs: each has its own context, its own end, and its own cancel."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

from stanchion.domain.kinds import ErrorInfo, Kind, classify
from stanchion.domain.outcome import Cancelled, Completed, Failed, Lost, Outcome, Released, Snoozed
from stanchion.engine.attempt import Attempts, Running, StarvedError, bound, starved
from stanchion.engine.batch import Item, Items, SyncItems
from stanchion.engine.control import Cancel, Snooze
from stanchion.errors import LeaseLostError, PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stanchion.domain.job import Lease
    from stanchion.domain.units import Millis
    from stanchion.engine.spec import TaskSpec


class Member(Running):
    """An attempt that runs with others: it is asked to stop alone, and the call stops once all of it are."""

    __slots__ = ("group",)

    def __init__(self, lease: Lease, group: Group) -> None:
        super().__init__(lease)
        self.group = group

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for its result any more."""
        return self.asked or self.lost or self.stopping or self.late

    def _interrupt(self) -> None:
        if self.context is not None:
            self.context.ask_cancel()
        self.group.interrupted(self)


class Group:
    """Attempts that run together in one slot."""

    def __init__(self, leases: Sequence[Lease], size: int | None = None) -> None:
        self.size = size or len(leases)
        """At most so many in one call."""
        self.members = [Member(lease, self) for lease in _sharing(leases)]
        self.current: Sequence[Member] = self.members
        """Who takes part in the call that runs now."""
        self.task: asyncio.Task[Any] | None = None
        self.tell: Callable[[Member], None] | None = None
        """Where the call runs elsewhere: tells it that one member was asked to stop."""
        self.fitted: list[tuple[int, bool]] = []
        """The sizes of the calls, and whether there was memory enough for each."""

    def begin(self, task: asyncio.Task[Any]) -> None:
        """Note the task that runs it."""
        self.task = task
        for member in self.members:
            member.task = task

    def interrupted(self, member: Member) -> None:
        """Stop the call where all who take part in it were asked to."""
        if member in self.current:
            if all(one.stopped for one in self.current):
                if self.task is not None:
                    self.task.cancel()
            elif self.tell is not None:
                self.tell(member)

    def expire(self) -> None:
        """The time of the call is over."""
        for member in self.current:
            member.expire()

    def timeout(self, spec: TaskSpec) -> Millis:
        """Return after how many ms a call ends; 0: never."""
        each = [one.lease.timeout if one.lease.timeout is not None else spec.timeout for one in self.current]
        return min((one for one in each if one), default=0)


def _sharing(leases: Sequence[Lease]) -> Sequence[Lease]:
    """Return the leases of a group, all with what the first, which leads it, holds for them."""
    first = leases[0]
    if not first.devices or first.holder is not None:
        return leases
    return [lease._replace(devices=first.devices, holder=(first.ref, first.attempt)) for lease in leases]


class GroupAttempts(Attempts):
    """Runs attempts alone or together; never raises."""

    async def run_together(self, group: Group, spec: TaskSpec) -> list[Outcome]:
        """Run the attempts of a group; the answers are in the order of its members.

        A call that runs out of memory is made again in two halves, one after the other, down to single jobs.
        """
        ends: dict[int, Outcome] = {}
        size = group.size
        parts: list[Sequence[Member]] = [
            group.members[at : at + size] for at in reversed(range(0, len(group.members), size))
        ]
        while parts:
            part = parts.pop()
            for member in part:
                if member.stopped:
                    ends[member.lease.ref] = self._stopped(member, 0)
            part = group.current = [member for member in part if not member.stopped]
            if len(part) == 1:
                ends[part[0].lease.ref] = await self.run(part[0], spec)
            elif part:
                found = await self._run_part(group, part, spec)
                if found is None:
                    half = (len(part) + 1) // 2
                    parts += [part[half:], part[:half]]
                else:
                    ends.update(zip((member.lease.ref for member in part), found, strict=True))
        return [ends[member.lease.ref] for member in group.members]

    async def _run_part(self, group: Group, part: Sequence[Member], spec: TaskSpec) -> list[Outcome] | None:
        """Return the ends of one call; None where it ran out of memory."""
        timeout = group.timeout(spec)
        timer = asyncio.get_running_loop().call_later(timeout / 1000, group.expire) if timeout else None
        try:
            ends = await self._ends(part, spec, timeout)
        finally:
            if timer is not None:
                timer.cancel()
            for member in part:
                if member.context is not None:
                    await member.context.close()
        group.fitted.append((len(part), ends is not None))
        return ends

    async def _ends(self, part: Sequence[Member], spec: TaskSpec, limit: Millis) -> list[Outcome] | None:  # noqa: PLR0911 - one for each ending
        try:
            return await self._answered(part, spec)
        except asyncio.CancelledError:
            return [self._stopped(member, limit) for member in part]
        except StarvedError as error:
            return [starved(member.lease, error) for member in part]
        except Snooze as asked:
            return [Snoozed(asked.delay) for _ in part]
        except Cancel as asked:
            return [Cancelled(asked.reason) for _ in part]
        except LeaseLostError:  # of one of them; the others have lost only time
            return [
                Lost("its lease was lost") if member.lost else Released("a mate's lease was lost") for member in part
            ]
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes an outcome
            if classify(error, self._rules).kind is Kind.RESOURCE:
                bound(part[0].lease).warning("%d jobs together ran out of memory and are run in halves", len(part))
                return None
            return [self._failed(member.lease, error) for member in part]
        except BaseException as error:  # noqa: BLE001 - SystemExit of a handler must not end the worker
            info = ErrorInfo(Kind.INTERNAL, f"the handler raised {type(error).__name__}: {error}")
            return [Failed(info) for _ in part]

    async def _answered(self, part: Sequence[Member], spec: TaskSpec) -> list[Outcome]:
        """Call the function for several; what cannot be read of one job fails that one."""
        ends: dict[int, Outcome] = {}
        items: list[tuple[Member, dict[str, Any]]] = []
        for member in part:
            try:
                positional, named = spec.codec.decode(member.lease.args, self._recorder.artifacts.get)
                member.context = self._context_of(member.lease)
                items.append((member, dict(zip(spec.codec.positional, positional, strict=False)) | named))
            except PayloadError as error:
                ends[member.lease.ref] = self._failed(member.lease, error)
        returned: object = await self._hooked(items, spec) if items else ()
        results = cast("Sequence[object]", returned) if isinstance(returned, (list, tuple)) else None
        if results is None or len(results) != len(items):
            given = "no list" if results is None else f"{len(results)} results"
            message = f"{spec.name}: the function for several returned {given} for {len(items)} jobs; return one each"
            raise TypeError(message)
        for (member, _), result in zip(items, results, strict=True):
            ends[member.lease.ref] = await self._end(member, spec, result)
        return [ends[member.lease.ref] for member in part]

    async def _hooked(self, items: Sequence[tuple[Member, dict[str, Any]]], spec: TaskSpec) -> Any:  # noqa: ANN401 - a handler's own result
        """Make the call inside the hooks of every job, those of the first outermost."""

        async def call() -> Any:  # noqa: ANN401 - a handler's own result
            return await self._several(items, spec)

        if self._hooks.around_attempt:
            for member, _ in reversed(items):
                assert member.context is not None
                call = functools.partial(self._hooks.attempted, member.context, call)
        return await call()

    async def _several(self, items: Sequence[tuple[Member, dict[str, Any]]], spec: TaskSpec) -> Any:  # noqa: ANN401 - a handler's own result
        function = spec.together
        assert function is not None
        contexts = [(args, member.context) for member, args in items if member.context is not None]
        is_async = inspect.iscoroutinefunction(function)
        if is_async:
            given = Items([Item(args, context) for args, context in contexts])
            if spec.isolation != "thread":
                return await function(given)
        else:
            given = SyncItems([Item(args, context.sync) for args, context in contexts])
        return await self._elsewhere(functools.partial(function, given), is_async)

    async def _end(self, member: Member, spec: TaskSpec, result: object) -> Outcome:
        """Return the end of one job by what was returned for it."""
        if isinstance(result, BaseException):
            return self._raised(member, result)
        try:
            return Completed(None if result is None else await self._encoded(member, spec, result))
        except PayloadError as error:
            return self._failed(member.lease, error)
        except LeaseLostError:
            member.lost = True
            return Lost("its lease was lost")

    def _raised(self, member: Member, error: BaseException) -> Outcome:
        match error:
            case Snooze():
                return Snoozed(error.delay)
            case Cancel():
                return Cancelled(error.reason)
            case _:
                return self._failed(member.lease, error)
