"""A canvas as a PNG file.

Source:
    PNG Specification, third edition, W3C 2025: one IHDR, one IDAT, one IEND; every row with filter 0.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from stanchion.demo.sprites.canvas import CHANNELS

if TYPE_CHECKING:
    from stanchion.demo.sprites.canvas import Canvas

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR_WITH_ALPHA = 6


def png(pixels: Canvas) -> bytes:
    """Return the canvas as the bytes of a PNG file."""
    stride = pixels.width * CHANNELS
    rows = b"".join(b"\0" + pixels.rgba[at : at + stride] for at in range(0, len(pixels.rgba), stride))
    header = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, TRUECOLOUR_WITH_ALPHA, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
