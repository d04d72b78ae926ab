"""The schedules of an app: put, list, pause, resume, run now, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from stanchion.domain.query import Scope
from stanchion.domain.schedule import Overlap
from stanchion.domain.units import DEFAULT_TENANT
from stanchion.engine.scheduling import OverlapWord, run_now, scheduled, template
from stanchion.engine.submit import Submission
from stanchion.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from stanchion.domain.job import NewJob, State
    from stanchion.domain.schedule import NewSchedule, Rule, Schedule
    from stanchion.engine.submit import Duration
    from stanchion.flow import Request
    from stanchion.handle import Job
    from stanchion.store import Store

R = TypeVar("R")


class Host(Protocol):
    """What schedules need of their app."""

    @property
    def store(self) -> Store:
        """Return the opened store."""
        ...

    async def open(self) -> object:
        """Open the store; idempotent."""
        ...

    async def prepare(self, submission: Submission, /) -> NewJob:
        """Validate a request without storing it."""
        ...

    def handle(self, job_id: str, state: State, *, new: bool = True) -> Job[Any]:
        """Return a handle of a job."""
        ...


class Declared(NamedTuple):
    """A schedule that stands in code: stored when its app is opened."""

    name: str
    rule: Rule
    request: Submission
    overlap: OverlapWord
    catch_up: Duration | None

    async def ready(self, host: Host) -> NewSchedule:
        """Return it as it can be stored."""
        request = await template(self.request, host.prepare)
        return scheduled(self.name, self.rule, request, overlap=self.overlap, catch_up=self.catch_up)


class Schedules:
    """What an app has scheduled. A name is one of its kind within a tenant."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def put(
        self,
        name: str,
        rule: Rule | str,
        request: Request[Any] | Submission,
        *,
        overlap: OverlapWord = Overlap.ALLOW,
        catch_up: Duration | None = None,
    ) -> Schedule:
        """Store a schedule, or change the one of that name; the same again changes nothing.

        Args:
            name: 1 to 150 printable characters without `/`.
            rule: `cron("0 7 * * *", tz="Europe/Berlin")`, `every("15m")`, or a cron text (in UTC).
            request: What `task.request(...)` returns: the job of each tick, validated now.
            overlap: What a tick does while the previous job has not ended: `allow`, `skip` or `cancel_running`.
            catch_up: Ticks missed by at most so long, because nothing ran, are fired late, each of them; by default
                only the latest, up to a minute late.

        Raises:
            PayloadError: A part cannot be used; nothing was stored.
        """
        await self._host.open()
        job = await template(request if isinstance(request, Submission) else request.submission, self._host.prepare)
        new = scheduled(name, rule, job, overlap=overlap, catch_up=catch_up)
        (answer,) = await self._host.store.put_schedules([new])
        return answer.schedule

    async def list(self, *, tenant: str | None = None) -> Sequence[Schedule]:
        """Return the schedules of a tenant, or of all, by tenant and name."""
        await self._host.open()
        return await self._host.store.schedules(Scope(tenant))

    async def get(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """Return a schedule.

        Raises:
            NotFoundError: There is none of that name.
        """
        for found in await self.list(tenant=tenant):
            if found.name == name:
                return found
        raise _absent(name)

    async def pause(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """Let it tick no more; jobs that it made stay.

        Raises:
            NotFoundError: There is none of that name.
        """
        return await self._paused(name, tenant, paused=True)

    async def resume(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """Let it tick from now on; ticks of the pause are not made up for.

        Raises:
            NotFoundError: There is none of that name.
        """
        return await self._paused(name, tenant, paused=False)

    async def _paused(self, name: str, tenant: str, *, paused: bool) -> Schedule:
        await self._host.open()
        found = await self._host.store.pause_schedule(tenant, name, paused=paused)
        if found is None:
            raise _absent(name)
        return found

    async def run_now(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Job[Any]:
        """Enqueue its job at once, paused or not; its ticks stay as they are.

        Raises:
            NotFoundError: There is none of that name.
            RefusedError: The store refused the job; nothing was stored.
        """
        answer = await run_now(self._host.store, await self.get(name, tenant=tenant))
        return self._host.handle(answer.id, answer.state, new=answer.new)

    async def delete(self, name: str, *, tenant: str = DEFAULT_TENANT) -> None:
        """Delete it; its jobs stay. One that stands in code is stored again when its app is opened.

        Raises:
            NotFoundError: There is none of that name.
        """
        await self._host.open()
        if not await self._host.store.drop_schedule(tenant, name):
            raise _absent(name)


class _Blocking(Protocol):
    def __call__(self, call: Coroutine[object, object, R], /) -> R: ...


class SyncSchedules:
    """The same for blocking callers."""

    def __init__(self, schedules: Schedules, blocking: _Blocking) -> None:
        self._schedules, self._blocking = schedules, blocking

    def put(
        self,
        name: str,
        rule: Rule | str,
        request: Request[Any] | Submission,
        *,
        overlap: OverlapWord = Overlap.ALLOW,
        catch_up: Duration | None = None,
    ) -> Schedule:
        """See `Schedules.put`."""
        return self._blocking(self._schedules.put(name, rule, request, overlap=overlap, catch_up=catch_up))

    def list(self, *, tenant: str | None = None) -> Sequence[Schedule]:
        """See `Schedules.list`."""
        return self._blocking(self._schedules.list(tenant=tenant))

    def get(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """See `Schedules.get`."""
        return self._blocking(self._schedules.get(name, tenant=tenant))

    def pause(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """See `Schedules.pause`."""
        return self._blocking(self._schedules.pause(name, tenant=tenant))

    def resume(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Schedule:
        """See `Schedules.resume`."""
        return self._blocking(self._schedules.resume(name, tenant=tenant))

    def run_now(self, name: str, *, tenant: str = DEFAULT_TENANT) -> Job[Any]:
        """See `Schedules.run_now`; the handle's methods are awaitable, `app.sync.job(handle.id)` has blocking ones."""
        return self._blocking(self._schedules.run_now(name, tenant=tenant))

    def delete(self, name: str, *, tenant: str = DEFAULT_TENANT) -> None:
        """See `Schedules.delete`."""
        self._blocking(self._schedules.delete(name, tenant=tenant))


def _absent(name: str) -> NotFoundError:
    return NotFoundError(
        f"No schedule is named {name[:200]!r}.", remedy="See `stanchion schedules` for those there are."
    )
