"""Artifacts: the bytes of outputs, content-addressed, in a folder beside the database."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from stanchion.errors import ConfigError, DiskFullError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

YOUNG: Final = 3600.0
"""Files used within so many seconds are never removed: a job that refers to one may be on its way."""
_HEX: Final = frozenset("0123456789abcdef")
_LENGTH: Final = 64
_NO_SPACE: Final = 28


class Artifacts:
    """A folder of files named by the SHA-256 of their content. All methods block: call them in a thread."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """The folder; made on first use.

        Raises:
            ConfigError: The store has no place for artifacts and none was set.
        """
        if self._folder is None:
            message = "There is no folder for artifacts."
            raise ConfigError(message, remedy="Set artifacts= (or STANCHION_ARTIFACTS) to a folder.")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def path(self, digest: str) -> Path:
        """Return where an artifact's file is.

        Raises:
            NotFoundError: The digest is not one, so it names no file.
        """
        if len(digest) != _LENGTH or not _HEX.issuperset(digest):
            message = f"{digest[:80]!r} is not a content hash."
            raise NotFoundError(message)
        return self.folder / digest[:2] / digest[2:]

    def put(self, data: bytes) -> str:
        """Keep bytes, durable on return, and return their SHA-256."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        try:
            if target.exists():
                os.utime(target)
                return digest
            target.parent.mkdir(mode=0o700, exist_ok=True)
            scratch = target.with_name(f".{uuid4().hex}")
            try:
                with scratch.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                scratch.replace(target)
            except BaseException:
                scratch.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
        except OSError as error:
            if error.errno == _NO_SPACE:
                message = f"The disk is full; {len(data):,} bytes could not be kept in {self.folder}."
                raise DiskFullError(message) from error
            raise
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of an artifact.

        Raises:
            NotFoundError: It is not here any more.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            message = f"Artifact {digest} is not here."
            raise NotFoundError(message) from None

    def remove(self, digests: Iterable[str]) -> int:
        """Remove artifacts that no job refers to; those used lately stay for the next time."""
        count = 0
        for digest in digests:
            path = self.path(digest)
            if path.exists() and time.time() - path.stat().st_mtime > YOUNG:
                path.unlink(missing_ok=True)
                count += 1
        return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
