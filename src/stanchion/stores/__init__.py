"""The storage engines; `open_store` picks one by URL and imports it on demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from stanchion.errors import ConfigError

if TYPE_CHECKING:
    from stanchion.store import Store

_KNOWN = "sqlite:///relative.db, sqlite:////absolute.db or memory://"


def open_store(url: str) -> Store:
    """Return the store that a URL names; it is not opened yet.

    Query options of `sqlite:`: `synchronous=full|extra|normal|off`, `network=allow` (a network filesystem).

    Raises:
        ConfigError: The URL has no known scheme, no path, or an unknown option.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "memory":
            from stanchion.stores.memory import MemoryStore  # noqa: PLC0415 - on demand

            return MemoryStore()
        case "sqlite":
            from stanchion.stores.sqlite import SqliteStore  # noqa: PLC0415 - on demand

            path = unquote(parts.path[1:])
            if parts.netloc or not path:
                message = f"{url!r} names no file."
                raise ConfigError(message, remedy=f"Write {_KNOWN}.")
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            synchronous = options.pop("synchronous", "full").lower()
            network = options.pop("network", "refuse")
            if options or synchronous not in {"full", "extra", "normal", "off"} or network not in {"refuse", "allow"}:
                message = f"{url!r} has an option that sqlite does not know."
                raise ConfigError(message, remedy="Use synchronous=full|extra|normal|off and network=refuse|allow.")
            return SqliteStore(Path(path), synchronous=synchronous, allow_network=network == "allow")
        case scheme:
            message = f"No store is known for {scheme or url!r}."
            raise ConfigError(message, remedy=f"Write {_KNOWN}.")
