"""A picture in memory: RGBA, eight bits a channel, row by row from the top left."""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = 4


@dataclass(frozen=True, slots=True)
class Canvas:
    """One finished picture. `rgba` holds `width * height * 4` bytes, alpha not premultiplied."""

    width: int
    height: int
    rgba: bytearray

    def __post_init__(self) -> None:
        if len(self.rgba) != self.width * self.height * CHANNELS:
            message = f"a {self.width}x{self.height} canvas needs {self.width * self.height * CHANNELS} bytes"
            raise ValueError(message)

    def at(self, x: int, y: int) -> tuple[int, int, int, int]:
        """Return red, green, blue and alpha of one pixel, counted from the top left."""
        red, green, blue, alpha = self.rgba[(y * self.width + x) * CHANNELS :][:CHANNELS]
        return red, green, blue, alpha
