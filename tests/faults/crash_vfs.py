"""A disk that forgets: what was written but not synced may be gone, partly there or torn after a power cut.

Everything goes through to the real file; beside it stands what the platters surely hold. Shared memory (`-shm`)
passes through and never survives.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MODES: Final = ("none", "prefix", "subset", "torn")
SECTOR: Final = 512

Op = tuple[int, bytes | None]
"""An offset and what was written there; None: the file was cut off there."""


def _apply(image: bytearray, op: Op, keep: int | None = None) -> None:
    offset, data = op
    if data is None:
        del image[offset:]
        return
    data = data[:keep]
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


class CrashVFS(apsw.VFS):
    """See the module."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.durable: dict[str, bytearray] = {}
        self.pending: dict[str, list[Op]] = {}
        self.writes = 0
        self.on_write: Callable[[], None] | None = None
        """Called in the middle of things: before each write and each sync."""

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return super().xOpen(name, flags) if path is None else CrashFile(self, name, flags, path)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.durable.pop(filename, None)
        self.pending.pop(filename, None)
        super().xDelete(filename, syncdir)

    def touched(self) -> None:
        self.writes += 1
        if self.on_write is not None:
            self.on_write()

    def power_cut(self, rng: random.Random, folder: Path, mode: str) -> None:
        """Write what a disk may hold after a power cut now."""
        for path, durable in self.durable.items():
            image, ops = bytearray(durable), self.pending.get(path, [])
            if mode == "prefix":
                ops = ops[: rng.randrange(len(ops) + 1)]
            elif mode != "none":
                ops = [op for op in ops if rng.random() < 0.5]
            else:
                ops = []
            for op in ops:
                torn = op[1] is not None and mode == "torn"
                _apply(image, op, rng.randrange(len(op[1] or b"") // SECTOR + 1) * SECTOR if torn else None)
            (folder / Path(path).name).write_bytes(image)


class CrashFile(apsw.VFSFile):
    """A file on that disk."""

    def __init__(self, vfs: CrashVFS, name: Any, flags: list[int], path: str) -> None:
        self._vfs, self._path = vfs, path
        super().__init__("", name, flags)
        if path not in vfs.durable:
            there = Path(path)
            vfs.durable[path] = bytearray(there.read_bytes() if there.exists() else b"")
            vfs.pending[path] = []

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._vfs.touched()
        self._vfs.pending[self._path].append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._vfs.pending[self._path].append((newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._vfs.touched()
        super().xSync(flags)
        for op in self._vfs.pending[self._path]:
            _apply(self._vfs.durable[self._path], op)
        self._vfs.pending[self._path] = []
