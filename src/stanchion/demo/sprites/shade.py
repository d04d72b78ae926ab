"""The steps from a drawn scene to a picture: one function a step, each returning a whole canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.canvas import Canvas
from stanchion.demo.sprites.palette import BASE, DEEP, GLINT, LINE, bound, ramp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanchion.demo.sprites.scene import Scene

EMPTY = b"\0\0\0\0"
BAYER = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)
DITHER = 0.34
CONTACT = 0.85
LINED_FROM = 24
"""Pixels a side below which parts have no lines between them: there is no room."""


class Finisher:
    """Takes a scene through its later steps; each step starts from the pixels of the one before."""

    def __init__(self, scene: Scene, palette: str | None) -> None:
        self.scene, self.palette = scene, palette
        self.size = scene.size
        self.pixels = [EMPTY] * (self.size * self.size)
        self._known: dict[tuple[str, int], bytes] = {}

    def canvas(self) -> Canvas:
        """Return the pixels as they are now."""
        return Canvas(self.size, self.size, bytearray(b"".join(self.pixels)))

    def sketch(self) -> Canvas:
        """Draw the construction lines: where one part meets another."""
        part = self.scene.part
        pencil, rest = self._paint("sky", 4), EMPTY
        for at, mine in enumerate(part):
            edge = mine and any(part[other] != mine for other in self._around(at))
            self.pixels[at] = pencil if edge else rest
        return self.canvas()

    def mask(self) -> Canvas:
        """Fill the silhouette, each part in its own grey."""
        greys = [self._paint("grey", tone) for tone in (1, 2, 3)]
        self.pixels = [greys[mine % 3] if mine else EMPTY for mine in self.scene.part]
        return self.canvas()

    def colour(self) -> Canvas:
        """Lay the flat colours."""
        self.pixels = [self._paint(name, BASE) if name else EMPTY for name in self.scene.material]
        return self.canvas()

    def shade(self) -> Canvas:
        """Light it: tones from the normals, shadows where a part lies on another, dithering between tones."""
        scene, size, part, soft = self.scene, self.size, self.scene.part, self.scene.soft
        for at, mine in enumerate(part):
            if not mine:
                continue
            x, y = at % size, at // size
            tone = scene.tone[at] + (BAYER[(y & 3) * 4 + (x & 3)] / 15 - 0.5) * DITHER
            for reach in range(1, scene.margin + 2):
                other = part[at - reach * (size + 1)] if x >= reach and y >= reach else 0
                if other > mine and not soft[other]:
                    tone -= CONTACT
                    break
            self.pixels[at] = self._paint(scene.material[at], max(DEEP, min(GLINT, int(tone + 1))))
        return self.canvas()

    def outline(self) -> Canvas:
        """Line it: dark around the whole, lighter on the lit side, and thin between parts."""
        scene, size, part, soft = self.scene, self.size, self.scene.part, self.scene.soft
        for at, mine in enumerate(part):
            if not mine or size < LINED_FROM:
                continue
            if any(part[other] > mine and not soft[part[other]] for other in self._around(at)):
                self.pixels[at] = self._paint(scene.material[at], LINE)
        if not scene.opaque:
            covered = list(part)
            for turn in range(scene.margin):
                self._rim(covered, last=turn == scene.margin - 1)
        return self.canvas()

    def detail(self) -> Canvas:
        """Add eyes, seams, runes and sparkles."""
        part = self.scene.part
        for mark in self.scene.marks:
            paint = self._paint(mark.material, mark.tone)
            for at in mark.cells:
                if part[at] <= mark.part:
                    self.pixels[at] = paint
        return self.canvas()

    def finish(self) -> Canvas:
        """Cast the shadow on the ground and let what glows glow."""
        if self.scene.ground:
            self._cast(*self.scene.ground)
        for halo in self.scene.halos:
            self._shine(halo.x, halo.y, halo.radius, halo.material)
        return self.canvas()

    def _rim(self, covered: list[int], *, last: bool) -> None:
        size, material = self.size, self.scene.material
        found: list[tuple[int, int, str]] = []
        for at, mine in enumerate(covered):
            if mine:
                continue
            x, y = at % size, at // size
            for other, dark in (
                (at - size if y else -1, True),
                (at - 1 if x else -1, True),
                (at + 1 if x < size - 1 else -1, False),
                (at + size if y < size - 1 else -1, False),
            ):
                if other >= 0 and covered[other]:
                    found.append((at, LINE if dark or not last else DEEP, material[other]))
                    break
        for at, tone, name in found:
            covered[at] = 1
            material[at] = name
            self.pixels[at] = self._paint(name, tone)

    def _cast(self, x: float, y: float, rx: float) -> None:
        ry = rx * 0.22
        for row in range(max(0, int(y - ry)), min(self.size, int(y + ry) + 1)):
            for column in range(max(0, int(x - rx)), min(self.size, int(x + rx) + 1)):
                at = row * self.size + column
                far = ((column + 0.5 - x) / rx) ** 2 + ((row + 0.5 - y) / ry) ** 2
                if far <= 1 and self.pixels[at] == EMPTY:
                    self.pixels[at] = bytes((*bound((24, 18, 44), self.palette), 96))

    def _shine(self, x: float, y: float, radius: float, material: str) -> None:
        red, green, blue = bound(ramp(material)[4], self.palette)
        for row in range(max(0, int(y - radius)), min(self.size, int(y + radius) + 1)):
            for column in range(max(0, int(x - radius)), min(self.size, int(x + radius) + 1)):
                at = row * self.size + column
                if self.pixels[at][3] != 0:
                    continue
                near = 1 - math.hypot(column + 0.5 - x, row + 0.5 - y) / radius
                level = int(near * 4 + BAYER[(row & 3) * 4 + (column & 3)] / 15 - 0.3)
                if level > 0:
                    self.pixels[at] = bytes((red, green, blue, min(level, 3) * 42))

    def _paint(self, material: str, tone: int) -> bytes:
        known = self._known.get((material, tone))
        if known is None:
            known = bytes((*bound(ramp(material)[tone], self.palette), 255))
            self._known[material, tone] = known
        return known

    def _around(self, at: int) -> Iterator[int]:
        x, y = at % self.size, at // self.size
        if x:
            yield at - 1
        if x < self.size - 1:
            yield at + 1
        if y:
            yield at - self.size
        if y < self.size - 1:
            yield at + self.size
