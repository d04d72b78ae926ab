"""The secret that seals sessions: kept in a file that all servers of a database share."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stanchion.errors import ConfigError
from stanchion.server.fresh import Looked

if TYPE_CHECKING:
    from collections.abc import Generator

    from stanchion.domain.units import Instant

log = logging.getLogger(__name__)

_LENGTH: Final = 32
_OTHERS: Final = 0o077
_RENEW: Final = "Run `stanchion serve --new-sessions`; it makes a new one, and everyone signs in again."


class Seal:
    """Seals texts with the secret of a file, made on first use; without a file, with one of this process alone.

    A secret that is replaced or removed while the server runs takes effect within a second.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._secret = secrets.token_bytes(_LENGTH) if path is None else None
        self._looked: Looked | None = None

    def of(self, text: bytes, now: Instant) -> str:
        """Return the seal of a text: HMAC-SHA-256 in hexadecimal digits.

        Raises:
            ConfigError: The file cannot be read or made, and never was.
        """
        return hmac.new(self._current(now), text, hashlib.sha256).hexdigest()

    def _current(self, now: Instant) -> bytes:
        if self._path is None or self._secret is None:
            return self._first()
        if self._looked is not None and self._looked.changed(now):
            try:
                self._secret = _kept(self._path)
            except ConfigError as error:
                log.error("%s Sessions go on with the secret that was known. %s", error.message, error.remedy)  # noqa: TRY400 - no trace
        return self._secret

    def _first(self) -> bytes:
        if self._secret is None:
            assert self._path is not None
            _kept(self._path)  # so that the look below sees a file, and its removal later
            self._looked = Looked(self._path)
            self._secret = _kept(self._path)
        return self._secret


def renew(path: Path) -> None:
    """Put a new secret in the place of the old one: all sessions end, on running servers too.

    Raises:
        ConfigError: The file cannot be written.
    """
    with _written(path) as fresh:
        fresh.replace(path)


def _kept(path: Path) -> bytes:
    """Return the secret of a file, made now if there is none."""
    found = _read(path)
    if found is None:
        _make(path)
        found = _read(path)
    if found is None:
        message = f"The session file {path} went away while it was read."
        raise ConfigError(message, remedy="Start again.")
    return found


def _make(path: Path) -> None:
    """Put a new secret there unless there is one; of several servers that try, the first one's stays."""
    with _written(path) as fresh:
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            log.debug("another server made the session file first")


@contextmanager
def _written(path: Path) -> Generator[Path]:
    """Give a complete new file beside a path, for its owner alone; it is gone afterwards."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_hex(_LENGTH).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        message = f"The session file {path} cannot be written: {error.strerror}."
        raise ConfigError(message, remedy="Let the server write there, or name another place: session_file.") from error


def _read(path: Path) -> bytes | None:
    """Return the secret of a file; None where there is no file. The error never holds what is in it."""
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(_LENGTH * 2 + 2)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"The session file {path} cannot be read: {error.strerror}."
        raise ConfigError(message, remedy=_RENEW) from error
    if mode & _OTHERS:
        message = f"The session file {path} may be read by other users of this machine."
        raise ConfigError(message, remedy=f"Run: chmod 600 {path}. If someone may have read it: {_RENEW}")
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != _LENGTH:
        message = f"The session file {path} does not hold {_LENGTH * 2} hexadecimal digits."
        raise ConfigError(message, remedy=_RENEW)
    return secret
