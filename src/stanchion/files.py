"""Files as arguments and results: `File`, `Image`, `Audio`; their bytes are artifacts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, cast

from stanchion.domain.media import sniff
from stanchion.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class _Savable(Protocol):
    def save(self, fp: io.BytesIO, format: str) -> object: ...  # noqa: A002 - Pillow's own name


class File:
    """Bytes with a type and a name; kept outside the job, by their content's hash.

    Args:
        source: Bytes, the path of a file, or (for `Image`) a Pillow image.
        name: What a download is called.
        content_type: A MIME type; read off the bytes where it is not given.
    """

    kind: ClassVar[str] = "file"

    def __init__(
        self,
        source: bytes | bytearray | str | Path | _Savable,
        *,
        name: str | None = None,
        content_type: str | None = None,
    ) -> None:
        data = _bytes_of(source)
        if name is None and isinstance(source, (str, Path)):
            name = Path(source).name
        media = sniff(data)
        self._data: bytes | None = data
        self._load: Callable[[str], bytes] | None = None
        self.name = name
        self.content_type = content_type or media.content_type
        self.width, self.height = media.width, media.height
        self.size = len(data)
        self.sha256: str | None = None

    @property
    def data(self) -> bytes:
        """The bytes; read from the artifact on first use."""
        if self._data is None:
            if self._load is None or self.sha256 is None:
                message = "This file has no bytes here."
                raise UsageError(message, remedy="Read it through the app that gave it.")
            self._data = self._load(self.sha256)
        return self._data

    def save(self, path: str | Path) -> Path:
        """Write the bytes to a file and return its path."""
        target = Path(path)
        target.write_bytes(self.data)
        return target

    def kept(self, put: Callable[[bytes], str]) -> dict[str, Any]:
        """Return the reference that stands for this file in JSON, after its bytes were kept."""
        if self.sha256 is None:
            self.sha256 = put(self.data)
        facts = {
            "kind": self.kind,
            "sha256": self.sha256,
            "size": self.size,
            "content_type": self.content_type,
            "name": self.name,
            "width": self.width,
            "height": self.height,
        }
        return {"$artifact": facts}

    @classmethod
    def referred(cls, reference: object, load: Callable[[str], bytes]) -> Self:
        """Return the file that a reference in JSON stands for.

        Raises:
            ValueError: It is no reference.
        """
        outer = cast("dict[str, Any]", reference) if isinstance(reference, dict) else {}
        facts = outer.get("$artifact")
        if not isinstance(facts, dict) or not isinstance(cast("dict[str, Any]", facts).get("sha256"), str):
            message = f"expected a {cls.__name__} (an object with `$artifact`)"
            raise ValueError(message)  # noqa: TRY004 - msgspec tells a ValueError as a misfit
        known = cast("dict[str, Any]", facts)
        file = cls.__new__(cls)
        file._data, file._load = None, load  # noqa: SLF001 - its own constructor
        file.name, file.content_type = (
            known.get("name"),
            known.get("content_type") or "application/octet-stream",
        )
        file.width, file.height = known.get("width"), known.get("height")
        file.size, file.sha256 = known.get("size") or 0, known["sha256"]
        return file

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.content_type}, {self.size} bytes)"


class Image(File):
    """A picture."""

    kind: ClassVar[str] = "image"


class Audio(File):
    """A sound."""

    kind: ClassVar[str] = "audio"


def _bytes_of(source: bytes | bytearray | str | Path | _Savable) -> bytes:
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    if isinstance(source, (str, Path)):
        return Path(source).read_bytes()
    buffer = io.BytesIO()
    source.save(buffer, format="PNG")
    return buffer.getvalue()
