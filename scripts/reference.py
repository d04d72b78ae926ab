"""Write the pages of docs/reference that are made from the code, or check that they are current.

Usage: reference.py write | check
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cyclopts import App
from rich.console import Console

from stanchion import errors
from stanchion.cli import COMMANDS, build, exits
from stanchion.domain.kinds import VERDICTS, Kind, Verdict
from stanchion.server import openapi
from stanchion.server.app import endpoints
from stanchion.server.problems import status_of

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "reference"
WIDTH: Final = 100
SUBCOMMANDS: Final = ("jobs", "dead", "queues", "schedules", "cache", "limits", "tenants")
NOTE: Final = "<!-- Written by scripts/reference.py from the code; edit it there. -->"

CLI_TOP: Final = """# Commands

`stanchion COMMAND --help` prints what stands here.

A command that reads a store finds it by `--url`, by `STANCHION_URL`, or by a line in `stanchion.toml`, in that order;
without any of them it is `sqlite:///stanchion.db` in the current folder. `--json` prints JSON lines: one object a
line, the same objects as the HTTP API's. Tables go to standard output, and everything about the run goes to standard
error.

| exit code | means |
| --- | --- |
"""

ERRORS_TOP: Final = """# Errors and their codes

Every error that Stanchion raises on purpose has a stable `code`: the same word in Python (`error.code`), in the
`code` of a problem body over HTTP, and in the output of a command with `--json`. `str(error)` is the message and the
remedy. What to do about the common ones: [Troubleshooting](../how-to/troubleshooting.md).

Under each code stand its class, the HTTP status of a response that carries it, and the exit code of a command that
ends with it. Where no remedy stands here, it depends on the case, and the error itself has it.

## Codes
"""

HTTP_ONLY: Final = """
## Codes that only the HTTP API has

| code | HTTP | means |
| --- | --- | --- |
| `malformed` | 400 | the body is no JSON, a cursor was not given out by the server, or a stream would be empty |
| `unauthenticated` | 401 | keys are configured, and no valid one came with the request |
| `method_not_allowed` | 405 | the path is there, the method is not |
| `expired_result` | 410 | the bytes of an output are not there any more |
| `body_too_large` | 413 | the body is larger than `max_payload` and 64 KiB |
| `unsupported_media_type`, `unsupported_encoding` | 415 | the body is not `application/json`, or compressed |
| `wrong_host` | 421 | a server without keys was asked under a host name that is not the loopback's |
| `too_many_streams` | 429 | too many event streams, WebSockets and waiting requests are open |
| `internal` | 500 | a defect of the server; its log has the `request_id` |
"""

KINDS_TOP: Final = """
## Error kinds

The error of a *job* has a kind instead: what went wrong, in one word. The kind decides what happens, unless the
task's retry policy, a rule or the error itself says otherwise. [Retries](../how-to/retries.md) has the details.

| kind | by default | given to |
| --- | --- | --- |
"""

KINDS: Final = {
    Kind.VALIDATION: "what cannot work: HTTP 400, 404, 422, a `ValidationError`, arguments that do not fit any more",
    Kind.AUTHENTICATION: "HTTP 401 and 403",
    Kind.INSUFFICIENT_CREDITS: "HTTP 402",
    Kind.CONTENT_POLICY: "what a handler or a rule names so; nothing is recognised by itself",
    Kind.RATE_LIMITED: "HTTP 429",
    Kind.TIMEOUT: "the task's own timeout, `TimeoutError`, HTTP 408",
    Kind.NETWORK: "`ConnectionError`, and `ConnectError`, `ConnectTimeout` of HTTP clients: nothing was sent",
    Kind.PROVIDER: "HTTP 500 to 599",
    Kind.RESOURCE: "`MemoryError`, and any `OutOfMemoryError`",
    Kind.OUTCOME_UNKNOWN: "`ReadTimeout`, `ReadError`, `WriteError`, `RemoteProtocolError`: sent, and no reply came",
    Kind.EXPIRED: "a job whose `expires_at` passed before it started",
    Kind.WORKER_LOST: "an attempt whose worker process died or fell silent",
    Kind.INTERNAL: "everything else",
}
DOES: Final = {
    Verdict.RETRY: "retry with backoff",
    Verdict.FAIL: "fail",
    Verdict.PARK: "wait and try again, spending no attempt",
}

HTTP_TOP: Final = """# HTTP API

Made from the server's own OpenAPI document, which a running server gives at `/api/v1/openapi.json`. Every path stands
under `/api/v1`, and under its alias `/api`. How to use it: [Serve the API](../how-to/serve.md).

Errors are `application/problem+json` with the fields of `ProblemOut`; [Errors](errors.md) has the codes. Times are
RFC 3339 in UTC with milliseconds, durations are seconds. *Scope* is what a key needs where keys are configured.

`/health`, `/health/live`, `/health/ready` and `/metrics` also answer without a prefix. `/ws` (also `/api/v1/ws`) is
the WebSocket. `GET /` and all other paths are the dashboard's.

"""


def escaped(text: str) -> str:
    """A text that can stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def help_of(app: App, words: list[str]) -> str:
    """What `--help` prints, at a fixed width, without the exit codes."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    app.help_print(words, console=console)
    return "\n".join(line.rstrip() for line in out.getvalue().partition("Exit codes:")[0].splitlines()).strip()


def commands() -> str:
    """The page of the commands."""
    parts = [NOTE, CLI_TOP + "".join(f"| {code} | {text} |\n" for code, text in exits.MEANINGS.items())]
    for name in COMMANDS:
        app = build([name])
        parts.append(f"## stanchion {name}\n\n```text\n{help_of(app, [name])}\n```\n")
        if name in SUBCOMMANDS:
            subcommands = sorted(word for word in app[name] if not word.startswith("-"))
            parts.extend(
                f"### stanchion {name} {word}\n\n```text\n{help_of(app, [name, word])}\n```\n" for word in subcommands
            )
    return "\n".join(parts)


def family(kind: type[errors.StanchionError]) -> Iterator[type[errors.StanchionError]]:
    """A class and all below it, parents first."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


def errors_page() -> str:
    """The page of the errors."""
    parts = [NOTE, ERRORS_TOP]
    for kind in family(errors.StanchionError):
        error = kind.__new__(kind)
        facts = [f"`{kind.__name__}`"]
        if not issubclass(kind, (errors.TaskError, errors.ConfigError)):
            facts.append(f"HTTP {status_of(error)}")
        facts.append(f"exit code {exits.code_of(error)}")
        says = " ".join(((kind.__doc__ or "").splitlines()[0], vars(kind).get("remedy", ""))).strip()
        parts.append(f"### `{kind.code}`\n\n{says}\n\n{', '.join(facts)}\n")
    kinds = "".join(f"| `{kind}` | {DOES[VERDICTS[kind]]} | {KINDS[kind]} |\n" for kind in Kind)
    end = "\n## In Python\n\n::: stanchion.errors\n    options:\n      heading_level: 3\n"
    return "\n".join([*parts, HTTP_ONLY.lstrip() + KINDS_TOP + kinds + end])


def type_of(schema: dict[str, Any]) -> str:  # noqa: PLR0911 - one for each form
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for many in ("anyOf", "oneOf"):
        if many in schema:
            return ", or ".join(dict.fromkeys(type_of(part) for part in schema[many]))
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {type_of(schema.get('items', {}))}"
        case "object" if "additionalProperties" in schema:
            return f"object of {type_of(schema['additionalProperties'])}"
        case "string" if "format" in schema:
            return str(schema["format"])
        case None:
            return "any JSON"
        case kind:
            return str(kind)


def operation(method: str, path: str, given: dict[str, Any]) -> str:
    """One endpoint."""
    scope = given.get("x-scope")
    lines = [f"### {method.upper()} {path.removeprefix('/api/v1')}\n", f"{escaped(given['description'])}\n"]
    facts = [f"- scope: {f'`{scope}`' if scope else 'none needed'}"]
    named = [f"`{item['name']}`" for item in given["parameters"] if item["in"] == "query"]
    facts += [f"- query: {', '.join(named)}"] if named else []
    if "requestBody" in given:
        facts.append(f"- body: {type_of(next(iter(given['requestBody']['content'].values()))['schema'])}")
    for status, answer in given["responses"].items():
        if status == "default":
            continue
        media, content = next(iter(answer.get("content", {}).items()), (None, None))
        shown = "" if content is None else type_of(content["schema"]) if media == "application/json" else f"`{media}`"
        facts.append(f"- {status}: {answer['description'].lower()}{f', {shown}' if shown else ''}")
    return "\n".join([*lines, *facts, ""])


def http_page() -> str:
    """The page of the HTTP API."""
    document = openapi.document(endpoints())
    parts = [NOTE, HTTP_TOP + "## Endpoints\n"]
    for path, methods in document["paths"].items():
        parts += [operation(method, path, given) for method, given in methods.items()]
    parts.append("## Types\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(f"### {name}\n\n{escaped(schema.get('description', ''))}\n")
        fields: dict[str, Any] = schema.get("properties", {})
        if fields:
            required = set(schema.get("required", ()))
            rows = [
                f"| `{field}` | {type_of(kind)} | {'yes' if field in required else ''} |"
                for field, kind in fields.items()
            ]
            parts.append("\n".join(["| field | type | always there |", "| --- | --- | --- |", *rows, ""]))
    return "\n".join(parts)


PAGES: Final = {"cli.md": commands, "errors.md": errors_page, "http.md": http_page}


def stale() -> list[str]:
    """The pages that are not what the code says."""
    return [
        name
        for name, page in PAGES.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != page()
    ]


def main(arguments: list[str]) -> int:
    """Run one verb; answer the exit status."""
    match arguments:
        case ["write"]:
            for name, page in PAGES.items():
                (FOLDER / name).write_text(page(), "utf-8")
            return 0
        case ["check"]:
            names = stale()
            for name in names:
                print(f"docs/reference/{name} is not current; run python scripts/reference.py write")
            return 1 if names else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
