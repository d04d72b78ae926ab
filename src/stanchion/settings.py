"""Settings: an argument, an environment variable, or a line in `stanchion.toml`, in that order."""

from __future__ import annotations

import os
import tomllib
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from stanchion.domain.intake import REFUSE_AT, WARN_AT
from stanchion.domain.policy import PROFILES, LeaseProfile, Retention
from stanchion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL: Final = "sqlite:///stanchion.db"
FILE: Final = "stanchion.toml"
_PREFIX: Final = "STANCHION_"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. Times are in seconds, sizes in bytes."""

    url: str = DEFAULT_URL
    profile: Literal["auto", "fast", "default"] = "auto"
    max_payload: int = 1_000_000
    artifacts: str | None = None
    grace: float = 25.0
    slots: int = 10
    models: Annotated[int, msgspec.Meta(ge=1)] = 1
    keys: tuple[str, ...] = ()
    keys_file: str | None = None
    session_file: str | None = None
    streams_per_key: Annotated[int, msgspec.Meta(ge=1)] = 50
    tenant_warn: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = WARN_AT
    tenant_refuse: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = REFUSE_AT
    slow_after: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 20
    slow_window: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 60.0
    keep_completed_days: float = 7.0
    keep_failed_days: float = 30.0
    keep_cancelled_days: float = 7.0
    cache_bytes: int = 10_000_000_000
    cache_memory: int = 64_000_000

    @property
    def lease(self) -> LeaseProfile:
        """The lease profile: everything on one host uses `fast`."""
        if self.profile == "auto":
            return PROFILES["fast" if urlsplit(self.url).scheme in {"sqlite", "memory"} else "default"]
        return PROFILES[self.profile]

    @property
    def retention(self) -> Retention:
        """How long final jobs are kept."""
        days = (self.keep_completed_days, self.keep_failed_days, self.keep_cancelled_days)
        return Retention(*(round(value * 86_400_000) for value in days), cache_bytes=self.cache_bytes)

    @property
    def artifact_folder(self) -> Path | None:
        """Where artifacts are: as set, or beside the SQLite file."""
        return Path(self.artifacts) if self.artifacts is not None else self._beside("-artifacts")

    @property
    def session_path(self) -> Path | None:
        """Where the secret is that seals the dashboard's sessions: as set, or beside the SQLite file; else nowhere."""
        return Path(self.session_file) if self.session_file is not None else self._beside("-session")

    def _beside(self, ending: str) -> Path | None:
        """Return the path beside the SQLite file that has its name and an ending; None where there is no such file."""
        parts = urlsplit(self.url)
        if parts.scheme != "sqlite":
            return None
        database = Path(unquote(parts.path[1:]))
        if not database.name:  # opening the store says what is wrong with the URL
            return None
        return database.with_name(database.name + ending)


def load(
    arguments: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Return settings from what is given, nearest to the caller first; only keys that someone set take part.

    Raises:
        ConfigError: A name is unknown, or a value does not fit.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    merged = dict(ChainMap(given, _from_environment(os.environ if environ is None else environ), _from_file(folder)))
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        message = f"A setting cannot be used: {error}."
        raise ConfigError(message, remedy=f"Known settings: {', '.join(Settings.__struct_fields__)}.") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        value = environ.get(_PREFIX + name.upper())
        if value is not None:
            found[name] = value.split(",") if name == "keys" else value
    return found


def _from_file(folder: Path | None) -> dict[str, Any]:
    path = (folder or Path.cwd()) / FILE
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise ConfigError(message, remedy="Correct its TOML.") from error
