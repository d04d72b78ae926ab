"""A disk whose n-th write or sync fails, once or from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable


class FaultVFS(apsw.VFS):
    """Passes everything through; `arm` makes it fail."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.count = self.failures = 0
        self._at: int | None = None
        self._sticky = False
        self._error: Callable[[], Exception] = apsw.IOError

    def arm(self, nth: int, error: Callable[[], Exception], *, sticky: bool) -> None:
        """Fail the n-th write or sync from now."""
        self.count, self._at, self._error, self._sticky = 0, nth, error, sticky

    def heal(self) -> None:
        """Fail no more."""
        self._at = None

    def hit(self) -> None:
        self.count += 1
        if self._at is not None and (self.count == self._at or (self._sticky and self.count > self._at)):
            self.failures += 1
            raise self._error()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return FaultFile(self, name, flags)


class FaultFile(apsw.VFSFile):
    """A file on that disk."""

    def __init__(self, vfs: FaultVFS, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._vfs.hit()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._vfs.hit()
        super().xSync(flags)
