"""Which pixels a shape covers and how light falls on each: pure functions from geometry to tones."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from stanchion.demo.sprites.ink import lit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stanchion.demo.sprites.ink import Frame, Point

THINNEST = 0.62
"""The least radius of a limb in pixels, so that none breaks up."""
STEEP = 0.8
"""How far a bevel leans at its edge: 0 faces the viewer, 1 stands upright."""


def oval_cells(size: int, centre: Point, radii: Point, axis: Point = (1, 0)) -> Iterator[tuple[int, float, float]]:
    """Yield the cells inside an ellipse, each with its place along the two axes from -1 to 1."""
    (px, py), (rx, ry), (ux, uy) = centre, radii, axis
    reach_x, reach_y = math.hypot(rx * ux, ry * uy), math.hypot(rx * uy, ry * ux)
    left, right = max(0, int(px - reach_x)), min(size - 1, int(px + reach_x))
    for row in range(max(0, int(py - reach_y)), min(size - 1, int(py + reach_y)) + 1):
        dy = row + 0.5 - py
        for column in range(left, right + 1):
            dx = column + 0.5 - px
            p, q = (dx * ux + dy * uy) / rx, (dy * ux - dx * uy) / ry
            if p * p + q * q <= 1:
                yield row * size + column, p, q


def oval(
    size: int, frame: Frame, shape: tuple[float, float, float, float, float], gloss: float
) -> Iterator[tuple[int, float]]:
    """Yield the cells and tones of an ellipsoid: its centre, radii and tilt in degrees."""
    x, y, rx, ry, tilt = shape
    k = frame.scale
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    ux, uy = (frame.a * cos + frame.b * sin) / k, (frame.c * cos + frame.d * sin) / k
    radii = max(rx * k, THINNEST), max(ry * k, THINNEST)
    for at, p, q in oval_cells(size, frame.map(x, y), radii, (ux, uy)):
        yield at, lit(p * ux - q * uy, p * uy + q * ux, gloss)


def dome(
    size: int, frame: Frame, shape: tuple[float, float, float, float], gloss: float
) -> Iterator[tuple[int, float]]:
    """Yield the upper half of an ellipsoid, its rim bent a little towards the viewer."""
    x, y, rx, ry = shape
    k = frame.scale
    for at, p, q in oval_cells(size, frame.map(x, y), (rx * k, ry * k)):
        if q <= 0.16 * (1 - p * p):
            yield at, lit(p, q, gloss)


def limb(size: int, frame: Frame, points: Sequence[Point], radii: Point, gloss: float) -> Iterator[tuple[int, float]]:
    """Yield a round-ended tube along the points, its radius going from the first to the second."""
    k = frame.scale
    path = [frame.map(x, y) for x, y in points]
    count = max(1, len(path) - 1)
    best: dict[int, tuple[float, float, float]] = {}
    for i, (one, other) in enumerate(pairwise(path)):
        ends = [max(THINNEST, k * (radii[0] + (radii[1] - radii[0]) * j / count)) for j in (i, i + 1)]
        for at, nx, ny in _capsule(size, one, other, (ends[0], ends[1])):
            far = nx * nx + ny * ny
            if at not in best or far < best[at][0]:
                best[at] = far, nx, ny
    for at, (_, nx, ny) in best.items():
        yield at, lit(nx, ny, gloss)


def _capsule(size: int, one: Point, other: Point, radii: Point) -> Iterator[tuple[int, float, float]]:
    """Yield the cells of one stretch of a limb with their normals."""
    (ax, ay), (bx, by) = one, other
    ex, ey = bx - ax, by - ay
    span = ex * ex + ey * ey or 1e-9
    wide = max(radii)
    left, right = max(0, int(min(ax, bx) - wide)), min(size - 1, int(max(ax, bx) + wide))
    for row in range(max(0, int(min(ay, by) - wide)), min(size - 1, int(max(ay, by) + wide)) + 1):
        wy = row + 0.5 - ay
        for column in range(left, right + 1):
            wx = column + 0.5 - ax
            t = (wx * ex + wy * ey) / span
            t = 0.0 if t < 0 else min(t, 1.0)
            radius = radii[0] + (radii[1] - radii[0]) * t
            nx, ny = (wx - ex * t) / radius, (wy - ey * t) / radius
            if nx * nx + ny * ny <= 1:
                yield row * size + column, nx, ny


def poly(size: int, frame: Frame, points: Sequence[Point], bevel: float, gloss: float) -> Iterator[tuple[int, float]]:
    """Yield a polygon: flat for bevel 0, bevelled above that, a cylinder across it below."""
    path = [frame.map(x, y) for x, y in points]
    if bevel < 0:
        yield from _rolled(size, frame, path, gloss)
        return
    flat, reach = lit(0, 0, gloss), bevel * frame.scale
    sides = _sides(path)
    for row, column in _inside(size, path):
        slope = _slope(column + 0.5, row + 0.5, sides, reach) if reach else None
        yield row * size + column, lit(*slope, gloss) if slope else flat


def _rolled(size: int, frame: Frame, path: list[Point], gloss: float) -> Iterator[tuple[int, float]]:
    k = frame.scale
    ux, uy = frame.a / k, frame.c / k
    places = [x * ux + y * uy for x, y in path]
    middle, radius = (min(places) + max(places)) / 2, max((max(places) - min(places)) / 2, 0.5)
    for row, column in _inside(size, path):
        place = ((column + 0.5) * ux + (row + 0.5) * uy - middle) / radius
        place = max(-1.0, min(1.0, place)) * 0.94
        yield row * size + column, lit(place * ux, place * uy, gloss)


Side = tuple[float, float, float, float, float]


def _sides(path: list[Point]) -> list[Side]:
    """Return for each edge where it starts, its direction (the inside on its right) and its length."""
    loop = [*path, path[0]]
    if sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(loop)) < 0:
        loop.reverse()
    sides: list[Side] = []
    for (ax, ay), (bx, by) in pairwise(loop):
        length = math.hypot(bx - ax, by - ay) or 1e-9
        sides.append((ax, ay, (bx - ax) / length, (by - ay) / length, length))
    return sides


def _slope(x: float, y: float, sides: list[Side], reach: float) -> Point | None:
    """Return which way the bevel leans at a point, or None on the flat."""
    near, nx, ny = reach, 0.0, 0.0
    for ax, ay, tx, ty, length in sides:
        along = (x - ax) * tx + (y - ay) * ty
        if -reach <= along <= length + reach:
            far = abs((x - ax) * ty - (y - ay) * tx)
            if far < near:
                near, nx, ny = far, ty, -tx
    if near >= reach:
        return None
    steep = (1 - near / reach) * STEEP
    return nx * steep, ny * steep


def _inside(size: int, path: list[Point]) -> Iterator[tuple[int, int]]:
    """Yield rows and columns inside a polygon, by the even-odd rule."""
    edges = list(pairwise([*path, path[0]]))
    top, bottom = min(y for _, y in path), max(y for _, y in path)
    for row in range(max(0, int(top)), min(size - 1, int(bottom)) + 1):
        y = row + 0.5
        hits = sorted(ax + (y - ay) * (bx - ax) / (by - ay) for (ax, ay), (bx, by) in edges if (ay <= y) != (by <= y))
        for start, stop in zip(hits[::2], hits[1::2], strict=False):
            for column in range(max(0, math.ceil(start - 0.5)), min(size, math.ceil(stop - 0.5))):
                yield row, column
