"""`stanchion enqueue`: one job from arguments, or many from JSON lines on standard input."""

from __future__ import annotations

import json as json_
import sys
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import msgspec
from cyclopts import Parameter

from stanchion.cli import exits, render, show
from stanchion.cli.reach import HERE, Where, opened
from stanchion.domain.intake import Conflict, OnConflict
from stanchion.domain.intake import conflict as conflict_of
from stanchion.domain.job import State
from stanchion.engine.submit import JobOptions, Submission
from stanchion.errors import JobCancelledError, JobFailedError, PayloadError, StanchionError, UsageError
from stanchion.server import wire
from stanchion.server.submit import dependencies
from stanchion.store import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from stanchion.app import Stanchion

BATCH: Final = 1_000
_STDIN: Final = "-"
_DIGITS: Final = 9
_SHAPED: Final = {"conflict", "depends_on"}
_OPTION_NAMES: Final = {f.name for f in fields(JobOptions)} & set(wire.BulkItem.__struct_fields__)

Many = Annotated[list[str] | None, Parameter(negative="")]


async def command(  # noqa: PLR0913 - each is an option of its own
    task: Annotated[str, Parameter(allow_leading_hyphen=True)],
    source: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    arg: Many = None,
    args: str | None = None,
    queue: str | None = None,
    priority: str | None = None,
    delay: str | None = None,
    run_at: str | None = None,
    expires_in: str | None = None,
    tags: str | None = None,
    user: str | None = None,
    tenant: str | None = None,
    dedup_key: str | None = None,
    dedup_window: str | None = None,
    idempotency_key: str | None = None,
    max_attempts: int | None = None,
    timeout: str | None = None,  # noqa: ASYNC109 - the option's name
    model: str | None = None,
    resource: Many = None,
    conflict: str | None = None,
    max_ahead: int | None = None,
    wait: float | None = None,
    where: Where = HERE,
) -> int:
    """Enqueue a job and print its id.

    `stanchion enqueue TASK -` reads the arguments of one job a line as JSON objects from standard input;
    `stanchion enqueue -` reads whole requests: {"task": …, "args": {…}, "queue": …, …}. Each line has its own
    answer; a bad one is reported with its number and the others are stored.

    Without --app the task must be known to a worker that runs now, and its arguments are not checked here.

    Args:
        task: The task's name, or - for whole requests on standard input.
        source: - for arguments on standard input.
        arg: An argument as name=value; JSON where the value is JSON and the task does not ask for text.
        args: All arguments as a JSON object.
        queue: Another queue than the task's.
        priority: 0 (most urgent) to 9, or critical, high, normal, low.
        delay: Not before this time has passed, such as 30 or 5m.
        run_at: Not before this time, in ISO 8601 with a time zone.
        expires_in: Fail instead of starting later than this.
        tags: Tags, separated by commas.
        user: Whose job it is.
        tenant: Whose job it is, one level up.
        dedup_key: Join the unfinished job of this key instead of making another.
        dedup_window: Join an identical request of so long ago.
        idempotency_key: The same key for the same request gives the same job.
        max_attempts: Attempts that count.
        timeout: Seconds that one attempt may take.
        model: The model that it needs, instead of the task's; '' for none.
        resource: What it holds while it runs, instead of the task's, as often as needed: gpu=1, gpu:0=1, vram_gb=12;
            '' for nothing.
        conflict: Its conflict key, as POLICY:KEY: queue, cancel_newest, cancel_running or replace, and the key.
        max_ahead: Refuse it where more jobs would start before it.
        wait: Wait so many seconds for the result, and print it.
        where: The store.
    """
    options = _options(
        queue=queue,
        priority=priority,
        delay=delay,
        run_at=run_at,
        expires_in=expires_in,
        tags=tags,
        user=user,
        tenant=tenant,
        dedup_key=dedup_key,
        dedup_window=dedup_window,
        idempotency_key=idempotency_key,
        max_attempts=max_attempts,
        timeout=timeout,
        model=model,
        resources=_resources(resource),
        conflict=_conflict(conflict),
        max_ahead=max_ahead,
    )
    if source not in (None, _STDIN):
        message = f"{source!r} is not understood."
        raise UsageError(message, remedy="Give arguments as --arg name=value, or - to read them from standard input.")
    async with opened(where, create=where.app is not None) as app:
        if _STDIN in (task, source):
            if arg or args or wait is not None:
                message = "Standard input brings the arguments."
                raise UsageError(message, remedy="Leave --arg, --args and --wait out.")
            return await _bulk(app, None if task == _STDIN else task, options, json=where.json)
        given = {**_object(args), **dict(_pair(app, task, text) for text in arg or ())}
        return await _one(app, Submission(task=task, args=given, options=options), wait=wait, json=where.json)


def _options(**given: Any) -> JobOptions:  # noqa: ANN401 - JobOptions checks them when the job is made
    run_at, tags = given.pop("run_at"), given.pop("tags")
    try:
        when = None if run_at is None else datetime.fromisoformat(run_at)
    except ValueError as error:
        message = f"--run-at: {error}."
        raise UsageError(message, remedy="Write it as 2026-12-24T18:00:00+01:00.") from error
    split = None if tags is None else tuple(tag.strip() for tag in tags.split(",") if tag.strip())
    return JobOptions(run_at=when, tags=split, **given)


def _resources(listed: list[str] | None) -> dict[str, int] | None:
    """Return what a job asks for, of texts such as `gpu=1`; the empty text alone asks for nothing."""
    if listed is None or listed == [""]:
        return None if listed is None else {}
    found: dict[str, int] = {}
    for text in listed:
        name, equals, count = (part.strip() for part in text.partition("="))
        if not equals or not (count.isascii() and count.isdecimal()) or len(count) > _DIGITS or name in found:
            message = f"--resource {text!r} is not what a job can ask for."
            raise UsageError(message, remedy="Write NAME=NUMBER once for each name, such as gpu=1 or gpu:0=1.")
        found[name] = int(count)
    return found


def _conflict(text: str | None) -> Conflict | None:
    if text is None:
        return None
    policy, colon, key = text.partition(":")
    if not colon:
        message = f"--conflict {text!r} is not POLICY:KEY."
        raise UsageError(message, remedy=f"Write it as queue:printer; the policies are {', '.join(OnConflict)}.")
    return conflict_of(policy, key)


def _object(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json_.loads(text)
    except json_.JSONDecodeError as error:
        message = f"--args is not JSON: {error}."
        raise UsageError(message, remedy="""Write an object, such as --args '{"prompt": "an orc"}'.""") from error
    if not isinstance(found, dict):
        message = "--args is not an object."
        raise UsageError(message, remedy="""Write an object, such as --args '{"prompt": "an orc"}'.""")
    return cast("dict[str, Any]", found)


def _pair(app: Stanchion, task: str, text: str) -> tuple[str, Any]:
    """Return an argument's name and value; a text stays text where the task asks for text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = f"--arg {text!r} is not name=value."
        raise UsageError(message, remedy="Write it as --arg prompt='an orc'.")
    if task in app.tasks and _text_wanted(app.tasks[task].schema(), name, value):
        return name, value
    try:
        return name, json_.loads(value)
    except json_.JSONDecodeError:
        return name, value


def _text_wanted(schema: dict[str, Any], name: str, value: str) -> bool:
    """Return whether an argument takes text and not what the value would be as JSON."""
    place: Any = schema
    for part in str(schema.get("$ref", "#")).split("/")[1:]:
        place = place[part]
    wanted: dict[str, Any] = place.get("properties", {}).get(name, {})
    kinds = {kind.get("type") for kind in wanted.get("anyOf", [wanted])}
    return kinds == {"string"} or (kinds == {"string", "null"} and value != "null")


async def _one(app: Stanchion, submission: Submission, *, wait: float | None, json: bool) -> int:
    answer = await app.submit_one(submission)
    if wait is None:
        if json:
            render.line({"id": answer.id, "state": answer.state, "new": answer.new, "cached": answer.cached})
        else:
            render.say(answer.id)
            if not answer.new:
                render.note(f"joined a job that was there, and is {answer.state.value}")
            elif answer.cached:
                render.note("answered from the cache")
        return exits.OK
    job = app.handle(answer.id, answer.state)
    try:
        await job.result(wait)
    except TimeoutError:
        message = f"Job {answer.id} has not ended within {wait:g} s; it goes on."
        raise StanchionError(message, remedy=f"Watch it: stanchion jobs watch {answer.id}") from None
    except (JobFailedError, JobCancelledError) as error:
        if not json:
            raise StanchionError(error.message, remedy=f"Look at it: stanchion jobs show {answer.id}") from error
    facts = job.facts
    if json:
        render.line(await show.full(app, facts))
    else:
        render.say(facts.result.decode() if facts.result is not None else "null")
    return exits.OK if facts.state is State.COMPLETED else exits.FAILED


async def _bulk(app: Stanchion, task: str | None, options: JobOptions, *, json: bool) -> int:
    """Store a job for each line; report each bad line by its number."""
    stored = joined = refused = 0
    lines = enumerate(sys.stdin, start=1)
    with _progress() as advance:
        while chunk := [(number, text) for number, text in islice(lines, BATCH) if text.strip()]:
            ready: list[tuple[int, Submission]] = []
            for number, text in chunk:
                try:
                    ready.append((number, _request(text, task, options)))
                except StanchionError as error:
                    refused += 1
                    _report(number, error, json=json)
            answers = await app.submit([submission for _, submission in ready])
            for (number, _), answer in zip(ready, answers, strict=True):
                if isinstance(answer, Refused):
                    refused += 1
                    _report(number, answer.error, json=json)
                    continue
                stored, joined = stored + answer.new, joined + (not answer.new)
                if json:
                    render.line({"line": number, "id": answer.id, "state": answer.state, "new": answer.new})
            advance(len(chunk))
    if not json:
        render.say(f"{stored} stored, {joined} joined, {refused} refused")
    return exits.FAILED if refused else exits.OK


def _request(text: str, task: str | None, options: JobOptions) -> Submission:
    """Return the request of a line.

    Raises:
        PayloadError: It is none.
    """
    try:
        if task is not None:
            return Submission(task=task, args=msgspec.json.decode(text, type=dict[str, Any]), options=options)
        item = msgspec.json.decode(text, type=wire.BulkItem)
    except msgspec.DecodeError as error:
        message = f"it is not a request: {error}"
        raise PayloadError(message) from error
    own = JobOptions(
        **{name: value for name in _OPTION_NAMES - _SHAPED if (value := getattr(item, name)) is not None},
        conflict=None if item.conflict is None else Conflict(item.conflict.policy, item.conflict.key),
        depends_on=dependencies(item),
    )
    return Submission(task=item.task, args=item.args, options=options.merged(own))


def _report(number: int, error: Exception, *, json: bool) -> None:
    message = error.message if isinstance(error, StanchionError) else str(error)
    if json:
        code = error.code if isinstance(error, StanchionError) else "internal"
        render.line({"line": number, "error": code, "message": message})
    else:
        render.note(f"line {number}: {message}")


@contextmanager
def _progress() -> Generator[Callable[[int], object]]:
    """Show a bar on a terminal's standard error once it is worth it."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - only there

    columns = (SpinnerColumn(), TextColumn("{task.completed} lines"), TimeElapsedColumn())
    with Progress(*columns, console=render.err(), transient=True) as bar:
        shown = bar.add_task("", total=None)
        yield lambda count: bar.advance(shown, count)


def _unseen(_count: int) -> None:
    """Nobody looks."""
