"""`stanchion jobs`: list, show, watch, cancel, retry and erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter, validators

from stanchion.cli import exits, render, select, show
from stanchion.cli.reach import HERE, Where, opened
from stanchion.cli.select import ANY, All, Which
from stanchion.domain.job import FINAL, WAITING, State
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from stanchion.app import Stanchion
    from stanchion.domain.job import Job
    from stanchion.handle import JobEvent
    from stanchion.server.wire import JobOut, WaitingOn

command: Final = App(name="jobs", help="List, show, watch, cancel, retry and erase jobs.")

Limit = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=500))]
_OPEN: Final = (*sorted(WAITING), State.RUNNING)


@command.default
async def list_(
    *, which: Which = ANY, q: str | None = None, limit: Limit = 50, after: str | None = None, where: Where = HERE
) -> int:
    """List jobs, newest first.

    Args:
        which: The filters.
        q: The first digits of an id, or a part of a task's or a user's name.
        limit: Jobs on a page.
        after: The cursor that the page before ended with.
        where: The store.
    """
    async with opened(where) as app:
        page = await app.store.list(which.filter(text=q), limit=limit, after=after)
        await show.jobs(app, page.jobs, json=where.json)
        if page.next is not None:
            render.note(f"more: --after {page.next}")
    return exits.OK


@command.command(name="show")
async def show_(job_id: str, /, *, where: Where = HERE) -> int:
    """Show a job with its arguments, result, attempts and events."""
    async with opened(where) as app:
        facts = await show.full(app, (await app.job(job_id)).facts)
        if where.json:
            render.line(facts)
        else:
            _print(facts, (await app.job(job_id)).facts, app)
    return exits.OK


def _reason(waiting: WaitingOn) -> str:
    return f"job {waiting.key}" if waiting.reason in {"dependency", "conflict"} else waiting.reason


def _print(facts: JobOut, job: Job, app: Stanchion) -> None:
    now = app.store.now()
    rows: list[tuple[str, object]] = [
        ("id", job.id),
        ("state", render.word(job.state.value)),
        ("task", job.task),
        ("queue", job.queue),
        ("tenant", job.tenant),
        ("user", job.user),
        ("priority", job.priority),
        ("tags", ", ".join(job.tags)),
        ("attempts", f"{job.attempt} begun, {job.spent} of {job.max_attempts} spent, {job.crashes} lost"),
        ("created", f"{facts.created_at}, {render.age((now - job.created_at) / 1000)} ago"),
        ("workflow", ", ".join(facts.workflows)),
        ("runs at", facts.run_at),
        ("ran", render.age(show.ran(job, now))),
        ("position", facts.position),
        ("waits for", _reason(facts.waiting_on) if facts.waiting_on is not None else None),
        ("progress", show.what(job) if job.state is State.RUNNING else None),
        ("arguments", bytes(facts.args).decode()),
        ("metadata", bytes(facts.metadata).decode()),
        ("result", bytes(facts.result).decode() if job.result is not None else None),
        ("error", f"{job.error.kind.value}: {job.error.message}" if job.error is not None else None),
        ("cost", ", ".join(f"{cost.amount} {cost.unit}" for cost in facts.cost)),
    ]
    render.table(("", ""), [(name, value) for name, value in rows if value not in (None, "", "{}")])
    for title, related in (("parents", facts.parents), ("children", facts.children)):
        if related:
            rows_ = [(one.id, render.word(one.state.value), one.task, one.policy.value) for one in related]
            render.table((title, "state", "task", "policy"), rows_)
    if facts.outputs:
        columns = ("output#", "kind", "name", "type", "size#", "sha256")
        outputs = [(o.index, o.kind, o.name, o.content_type, render.size(o.size), o.sha256) for o in facts.outputs]
        render.table(columns, outputs)
    if facts.attempts:
        columns = ("attempt#", "outcome", "started", "ended", "worker", "error")
        attempts = [
            (a.attempt, a.outcome or "running", a.started_at, a.ended_at, a.worker, a.error and a.error.message)
            for a in facts.attempts
        ]
        render.table(columns, attempts)
    events = [(e.version, render.word(e.state), e.at, e.attempt or "") for e in facts.events]
    render.table(("version#", "state", "at", "attempt#"), events)
    if job.error is not None and job.error.trace:
        for text in job.error.trace.rstrip().splitlines():
            render.say(text)


@command.command
async def watch(job_id: str, /, *, where: Where = HERE) -> int:
    """Print what happens to a job until it ends; exit code 1 where it does not complete."""
    async with opened(where) as app:
        job = await app.job(job_id)
        async for event in job.events():
            if where.json:
                render.line(_event(job_id, event))
            elif (text := _told(event)) is not None:
                render.say(text)
        facts = job.facts
        if facts.error is not None and not where.json and facts.state is State.FAILED:
            render.note(f"{facts.error.kind.value}: {facts.error.message}")
        return exits.OK if facts.state is State.COMPLETED else exits.FAILED


def _event(job_id: str, event: JobEvent) -> dict[str, object]:
    record: dict[str, object] = {"job": job_id, "kind": event.kind, "state": event.state, "version": event.version}
    record["attempt"] = event.attempt
    for name in ("fraction", "stage", "message", "position", "waiting_on", "content_type"):
        if (value := getattr(event, name)) is not None:
            record[name] = value
    if event.data is not None:
        record["bytes"] = len(event.data)
    return record


def _told(event: JobEvent) -> str | None:
    match event.kind:
        case "status":
            return event.state.value + (f" (attempt {event.attempt})" if event.attempt else "")
        case "progress":
            share = "" if event.fraction is None else f"{event.fraction:4.0%} "
            return f"  {share}{event.stage or ''} {event.message or ''}".rstrip()
        case "position":
            return f"  waits for: {event.waiting_on}" if event.waiting_on else f"  number {event.position} in line"
        case "preview":
            return f"  preview: {event.content_type}, {len(event.data or b'')} bytes"
        case _:
            data = event.data or b""
            text = data.decode(errors="replace") if (event.content_type or "").startswith("text/") else None
            return text if text is not None else f"  output: {event.content_type}, {len(data)} bytes"


@command.command
async def cancel(*ids: str, which: Which = ANY, every: All = False, where: Where = HERE) -> int:
    """Cancel jobs by id or filter; what runs is asked to stop.

    Args:
        ids: The jobs.
        which: The filters.
        every: Every job that has not ended.
        where: The store.
    """
    async with opened(where) as app:
        found = await select.chosen(app, ids, which, states=_OPEN, everything=every)
        done = await select.apply(found, app.store.cancel)
        return select.report(done, "cancelled or asked to stop", named=bool(ids), json=where.json)


@command.command
async def retry(*ids: str, which: Which = ANY, every: All = False, where: Where = HERE) -> int:
    """Queue failed jobs anew, by id or filter, with all their attempts.

    Args:
        ids: The jobs.
        which: The filters.
        every: Every failed job.
        where: The store.
    """
    return await retry_failed(ids, which, everything=every, where=where)


async def retry_failed(ids: tuple[str, ...], which: Which, *, everything: bool, where: Where) -> int:
    """Queue failed jobs anew; what `jobs retry` and `dead retry` do."""
    async with opened(where) as app:
        found = await select.chosen(app, ids, which, states=(State.FAILED,), everything=everything)
        done = await select.apply(found, app.store.retry)
        return select.report(done, "queued anew", named=bool(ids), json=where.json)


@command.command
async def erase(
    *ids: str, which: Which = ANY, every: All = False, older_than: str | None = None, where: Where = HERE
) -> int:
    """Erase ended jobs by id or filter, with all they produced. This cannot be undone.

    Args:
        ids: The jobs.
        which: The filters.
        every: Every ended job.
        older_than: Only those that ended so long ago, such as 7d.
        where: The store.
    """
    return await erase_ended(
        ids, which, states=tuple(sorted(FINAL)), everything=every, older_than=older_than, where=where
    )


async def erase_ended(  # noqa: PLR0913 - what both commands pass on
    ids: tuple[str, ...],
    which: Which,
    *,
    states: tuple[State, ...],
    everything: bool,
    older_than: str | None,
    where: Where,
) -> int:
    """Erase ended jobs; what `jobs erase` and `dead erase` do."""
    async with opened(where) as app:
        if older_than is None:
            found = await select.chosen(app, ids, which, states=states, everything=everything)
        else:
            if ids:
                message = "--older-than is a filter and goes with no ids."
                raise UsageError(message, remedy="Give one or the other.")
            before = select.seconds_ago(app, older_than)
            found = await app.store.select(which.filter(states=states)._replace(ended_before=before), select.EVERYTHING)
        done = await select.apply(found, app.store.erase)
        return select.report(done, "erased", named=bool(ids), json=where.json)
