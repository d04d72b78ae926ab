"""Which store and which app a command is about, and opening them."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import unquote, urlsplit

from cyclopts import Group, Parameter

from stanchion.errors import ConfigError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from stanchion.app import Stanchion

COMMON: Final = Group("Common options", sort_key=90)

Url = Annotated[
    str | None,
    Parameter(
        name="--url",
        group=COMMON,
        help="The store, such as sqlite:///stanchion.db; also STANCHION_URL or stanchion.toml.",
    ),
]
Json = Annotated[bool, Parameter(name="--json", negative="", group=COMMON, help="JSON lines instead of tables.")]
AppOption = Annotated[
    str | None,
    Parameter(
        name="--app",
        env_var="STANCHION_APP",
        group=COMMON,
        help="The app as module:attribute, where its tasks are needed.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The options of every command that reads a store."""

    url: Url = None
    app: AppOption = None
    json: Json = False


HERE: Final = Where()


def resolve(where: Where) -> Stanchion:
    """Return the app that the options name; one without tasks where they name only a store."""
    from stanchion.app import Stanchion  # noqa: PLC0415 - keeps the start quick
    from stanchion.entry import load_app  # noqa: PLC0415 - likewise

    if where.app is not None:
        return load_app(where.app, url=where.url)
    return Stanchion(where.url)


@asynccontextmanager
async def opened(where: Where, *, create: bool = False) -> AsyncGenerator[Stanchion]:
    """Open the store that the options name; a file that is not there is an error, unless `create`."""
    quiet()
    app = resolve(where)
    if not create:
        must_exist(app.settings.url)
    async with app:
        yield app


def database(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for other stores."""
    parts = urlsplit(url)
    return Path(unquote(parts.path[1:])) if parts.scheme == "sqlite" and parts.path[1:] else None


def must_exist(url: str) -> None:
    """Refuse a SQLite file that is not there: reading it would make an empty one.

    Raises:
        StoreUnavailableError: It is not there.
    """
    file = database(url)
    if file is not None and not file.exists():
        message = f"There is no database {file} here."
        raise StoreUnavailableError(
            message, remedy="Name it with --url or STANCHION_URL, or make it: stanchion migrate."
        )


def own_processes_can_share(url: str) -> None:
    """Refuse a store that lives in one process where others are started.

    Raises:
        ConfigError: It is such a store.
    """
    if urlsplit(url).scheme == "memory":
        message = "memory:// lives inside one process; the processes that this command starts would not see it."
        raise ConfigError(message, remedy="Use sqlite:///stanchion.db.")


def quiet() -> None:
    """Keep logs below warnings off standard error: the command's output is what matters."""
    logs(level="warning", json=False)


def logs(*, level: str = "info", json: bool = False) -> None:
    """Send logs to standard error."""
    from stanchion.telemetry import configure_logging  # noqa: PLC0415 - keeps the start quick

    configure_logging(json=True if json else None, level=level)
    join_logs()


def join_logs() -> None:
    """Send the web server's warnings where our own logs go."""
    web = logging.getLogger("uvicorn")
    web.handlers[:] = logging.getLogger("stanchion").handlers
    web.propagate = False
    web.setLevel(logging.WARNING)
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
