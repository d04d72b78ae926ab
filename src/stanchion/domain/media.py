"""What bytes are: type and size of pictures and sounds, read off their first bytes."""

from __future__ import annotations

from typing import Final, NamedTuple

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
)
_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Media(NamedTuple):
    """A content type, and width and height in pixels where it is a picture that says so."""

    content_type: str
    width: int | None = None
    height: int | None = None


def sniff(data: bytes) -> Media:
    """Return what the bytes are; `application/octet-stream` where nothing known begins so."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Media("image/webp")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Media("audio/wav")
    for signature, content_type in _SIGNATURES:
        if data.startswith(signature):
            return Media(content_type, *_size(data, content_type))
    return Media("application/octet-stream")


def _size(data: bytes, content_type: str) -> tuple[int | None, int | None]:
    if content_type == "image/png" and len(data) >= 24:  # noqa: PLR2004 - signature, length, IHDR, two words
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if content_type == "image/gif" and len(data) >= 10:  # noqa: PLR2004 - signature and two words
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if content_type == "image/jpeg":
        return _jpeg_size(data)
    return None, None


def _jpeg_size(data: bytes) -> tuple[int | None, int | None]:
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:  # noqa: PLR2004 - a marker
        if data[place + 1] in _JPEG_SIZES:
            height, width = data[place + 5 : place + 7], data[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None, None
