"""A caller's grip on a job: its facts, its events, its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from stanchion.domain.eta import Eta
from stanchion.domain.job import FINAL, State
from stanchion.domain.progress import fraction
from stanchion.engine.watchers import Interest
from stanchion.errors import JobCancelledError, JobFailedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from stanchion.domain import job as domain
    from stanchion.domain.intake import Warned
    from stanchion.domain.kinds import ErrorInfo
    from stanchion.engine.artifacts import Artifacts
    from stanchion.engine.watch import Watch
    from stanchion.engine.watchers import Notice
    from stanchion.payload import Codec
    from stanchion.store import Place, Store

R_co = TypeVar("R_co", covariant=True)


class Ports:
    """What handles need of their app."""

    def __init__(
        self, store: Store, watch: Watch, artifacts: Artifacts, codec_of: Callable[[str], Codec | None]
    ) -> None:
        self.store, self.watch, self.artifacts, self.codec_of = store, watch, artifacts, codec_of


class JobEvent(msgspec.Struct, frozen=True):
    """Something that happened to a job.

    `kind` is `status`, `progress`, `preview`, `position` or `output`; the fields of other kinds are None.
    """

    kind: str
    state: State
    version: int
    attempt: int
    fraction: float | None = None
    stage: str | None = None
    message: str | None = None
    position: int | None = None
    waiting_on: str | None = None
    data: bytes | None = None
    content_type: str | None = None
    eta: Eta | None = None


class Job(Generic[R_co]):
    """A job that was enqueued: durable, whatever happens to this object.

    The facts are as of the last `refresh()`, `result()` or event.
    """

    def __init__(  # noqa: PLR0913 - what is known of it from the start
        self,
        ports: Ports,
        job_id: str,
        state: State,
        *,
        new: bool = True,
        cached: bool = False,
        facts: domain.Job | None = None,
        warnings: tuple[Warned, ...] = (),
    ) -> None:
        self.warnings = warnings
        """The queue, tenant or user of which so many jobs wait and run that the request was warned of it."""
        self._ports = ports
        self._facts = facts
        self._state = state
        self.id = job_id
        self.new = new
        """False where the request joined a job that was there already."""
        self.cached = cached if facts is None else facts.cached
        """Whether it was born completed, with a result of the cache."""

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.state.value})"

    @property
    def state(self) -> State:
        """The state as last known."""
        return self._state

    @property
    def facts(self) -> domain.Job:
        """All facts as of the last `refresh()`.

        Raises:
            NotFoundError: It was never refreshed.
        """
        if self._facts is None:
            message = f"Job {self.id} has not been read yet."
            raise NotFoundError(message, remedy="Call `await job.refresh()` first.")
        return self._facts

    @property
    def error(self) -> ErrorInfo | None:
        """The latest error, as of the last refresh."""
        return self.facts.error

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, as of the last refresh."""
        return msgspec.json.decode(self.facts.metadata) if self.facts.metadata else {}

    async def refresh(self) -> Job[R_co]:
        """Read the job again.

        Raises:
            NotFoundError: It was pruned or erased.
        """
        (found,) = await self._ports.store.inspect([self.id])
        if found is None:
            message = f"No job {self.id}."
            raise NotFoundError(message)
        self._take(found)
        return self

    def _take(self, facts: domain.Job) -> None:
        self._facts, self._state, self.cached = facts, facts.state, facts.cached

    async def result(self, timeout: float | None = None) -> R_co:  # noqa: ASYNC109 - the public name
        """Wait for the job's end and return what its function returned.

        Raises:
            JobFailedError: It failed; `kind` says why.
            JobCancelledError: It was cancelled.
            TimeoutError: `timeout` seconds passed; the job goes on.
        """
        async with asyncio.timeout(timeout):
            await self._ended()
        facts = self.facts
        if facts.state is State.CANCELLED:
            raise JobCancelledError(self.id)
        if facts.state is State.FAILED:
            problem = facts.error
            raise JobFailedError(
                self.id,
                problem.message if problem else "no reason was kept",
                kind=problem.kind if problem else "internal",
            )
        codec = self._ports.codec_of(facts.task)
        load = self._ports.artifacts.get
        if codec is None:
            return cast("R_co", None if facts.result is None else msgspec.json.decode(facts.result))
        return cast("R_co", codec.decode_result(facts.result, load))

    async def _ended(self) -> None:
        await self.refresh()
        while self._state not in FINAL:
            async with self._ports.watch.open(jobs=[self.id]) as watcher:
                await self.refresh()  # what happened before the watch began
                while self._state not in FINAL and watcher.ended is None:
                    notices = await watcher.take()
                    if any(n.event is not None and n.event.state in FINAL for n in notices):
                        await self.refresh()
            if self._state not in FINAL:
                await asyncio.sleep(0.1)
                await self.refresh()

    async def events(self) -> AsyncIterator[JobEvent]:
        """Yield what happens to the job, from its present state to its end; the last event is final."""
        version = 0
        while True:
            async with self._ports.watch.open(Interest(), jobs=[self.id]) as watcher:
                await self.refresh()
                history, _ = await self._ports.store.history(self.id, after=version)
                for event in history if version else history[-1:]:
                    version = event.version
                    yield JobEvent("status", event.state, event.version, event.attempt)
                if self._state in FINAL:
                    return
                while watcher.ended is None:
                    for notice in await watcher.take():
                        shown = self.shown(notice, version)
                        if shown is None:
                            continue
                        version = max(version, shown.version)
                        yield shown
                        if shown.kind == "status" and shown.state in FINAL:
                            await self.refresh()
                            return

    def present(self) -> JobEvent:
        """Return the state as of the last refresh as an event."""
        facts = self.facts
        return JobEvent("status", facts.state, facts.version, facts.attempt)

    def shown(self, notice: Notice, version: int) -> JobEvent | None:  # noqa: PLR0911 - one for each kind
        """Return what a notice tells of the job; None where it tells nothing, or what the version told before."""
        job = notice.job
        if job is None:
            return None
        self._state = job.state
        base = (job.state, job.version, job.attempt)
        if notice.event is not None:
            event = notice.event
            return JobEvent("status", event.state, event.version, event.attempt) if event.version > version else None
        if notice.kind == "progress" and job.progress is not None:
            done = job.progress
            return JobEvent(
                "progress",
                *base,
                fraction=fraction(done.index, done.length),
                stage=done.stage,
                message=done.message,
            )
        if notice.preview is not None:
            return JobEvent("preview", *base, data=notice.preview.data, content_type=notice.preview.content_type)
        if notice.output is not None:
            return JobEvent("output", *base, data=notice.output.data, content_type=notice.output.content_type)
        if notice.place is not None:
            place = notice.place
            return JobEvent("position", *base, position=place.position, waiting_on=place.reason, eta=place.eta)
        return None

    async def position(self) -> Place:
        """Return where the job stands in line, why it waits, and the time left in ms where that can be said."""
        (place,) = await self._ports.watch.forecast.places([self.id])
        if place is None:
            message = f"No job {self.id}."
            raise NotFoundError(message)
        return place

    async def cancel(self) -> Job[R_co]:
        """Cancel it; a running attempt is asked to stop. Cancelling what is final changes nothing."""
        return await self._changed(await self._ports.store.cancel([self.id]))

    async def retry(self) -> Job[R_co]:
        """Queue a failed job anew, with all its attempts.

        Raises:
            WrongStateError: It is not failed.
        """
        return await self._changed(await self._ports.store.retry([self.id]))

    async def _changed(self, answers: list[domain.Job | Exception]) -> Job[R_co]:
        (answer,) = answers
        if isinstance(answer, Exception):
            raise answer
        self._take(answer)
        return self
