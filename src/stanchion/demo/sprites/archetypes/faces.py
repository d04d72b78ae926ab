"""Faces, on a head centred on (32, 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.archetypes.looks import Look
    from stanchion.demo.sprites.scene import Scene


def plain(scene: Scene, look: Look) -> None:
    """A friendly face."""
    scene.eyes(24.5, 5, 2.5, scene.chance.pick(("ink", "ink", "blue", "brown", "green")))
    if not look.beard and look.hat != "mask":
        scene.stroke(((29.5, 31), (34.5, 31)), look.skin, 0)
        scene.dot(24, 29, "coral", 3, w=2.6, h=1.6)
        scene.dot(40, 29, "coral", 3, w=2.6, h=1.6)


def _brows(scene: Scene) -> None:
    scene.stroke(((23, 19), (29, 22)), "ink", 0, 1.4)
    scene.stroke(((41, 19), (35, 22)), "ink", 0, 1.4)


def _tusks(scene: Scene, look: Look) -> None:
    scene.eyes(24, 5, 2.4, scene.chance.pick(("red", "amber", "ink")))
    _brows(scene)
    scene.stroke(((26, 31), (38, 31)), look.skin, 0, 1.5)
    for x in (27, 37):
        scene.dot(x, 29.5, "bone", 4, w=2, h=4.5)


def _sly(scene: Scene, look: Look) -> None:
    scene.eyes(24, 5, 2.7, "amber")
    _brows(scene)
    scene.stroke(((27, 30), (32, 32), (38, 29)), look.skin, 0)
    scene.dot(30, 32, "white", 4, w=1.6, h=2)


def _grin(scene: Scene, look: Look) -> None:
    scene.eyes(23.5, 5, 2.6, "amber" if look.skin not in {"skin", "tan", "umber", "cream"} else "ink")
    scene.spot(32, 30, 4, "ink", 0)
    scene.dot(32, 28.5, "white", 4, w=8, h=2)


def _fangs(scene: Scene, look: Look) -> None:
    scene.eyes(24, 5, 2.5, "red" if look.skin not in {"red", "ember"} else "yellow")
    _brows(scene)
    scene.stroke(((27, 30.5), (37, 30.5)), "ink", 0, 1.4)
    for x in (28.5, 35.5):
        scene.dot(x, 32.5, "white", 4, w=1.8, h=3)


def _dead(scene: Scene, look: Look) -> None:
    scene.spot(27, 24, 3.2, "ink", 0)
    scene.spot(37, 24, 3.2, "ink", 0)
    for x in (27, 37):
        scene.dot(x, 24, "yellow", 4, w=2, h=2)
    scene.stroke(((27, 31), (30, 30), (33, 32), (37, 31)), look.skin, 0)


def _glow(scene: Scene, look: Look) -> None:
    light = scene.accent("cyan", "amber", "spark", "ember")
    if light == look.skin:
        light = "white"
    for x in (27, 37):
        scene.dot(x, 24.5, "ink", 0, w=6, h=5)
        scene.dot(x, 24.5, light, 4, w=4, h=3)
    if look.hat != "hood":
        scene.stroke(((28, 31.5), (36, 31.5)), "ink", 0, 1.4)


def _skull(scene: Scene, look: Look) -> None:
    light = scene.accent("ember", "cyan", "lime") if look.body != "bones" else "ember"
    for x in (27, 37):
        scene.spot(x, 23.5, 3.6, "ink", 0)
        scene.dot(x, 24, light, 4, w=2, h=2)
    scene.dot(32, 28.5, "ink", 0, w=2, h=3)
    for x in (28, 30.7, 33.3, 36):
        scene.dot(x, 34, "ink", 1, w=1, h=4)


def _snout(scene: Scene, look: Look) -> None:
    scene.ellipse(32, 30, 8, 6, blend(look.skin, "cream", 0.4))
    scene.eyes(22.5, 6, 2.3, "amber")
    for x in (29, 35):
        scene.dot(x, 29, "ink", 0, w=2, h=2)
    scene.stroke(((28, 33.5), (36, 33.5)), "ink", 1)


def _patch(scene: Scene, look: Look) -> None:
    del look
    scene.eye(27, 24.5, 2.5)
    scene.stroke(((21, 19), (43, 25)), "ink", 0, 1.2)
    scene.spot(37, 24.5, 3, "ink", 0)


def _carrot(scene: Scene, look: Look) -> None:
    del look
    for x in (27.5, 36.5):
        scene.spot(x, 22, 1.6, "ink", 0)
    scene.poly(((32, 24), (43, 27.5), (32, 29)), "orange", 1.5)
    for x, y in ((27, 31), (30, 32.5), (34, 32.5), (37, 31)):
        scene.dot(x, y, "ink", 0, w=1.4, h=1.4)


def _alien(scene: Scene, look: Look) -> None:
    del look
    for x, tilt in ((26.5, 35), (37.5, -35)):
        scene.oval(x, 22, 5.2, 3.2, tilt, "ink", gloss=1, soft=True)
        scene.dot(x - 1, 20.5, "white", 5, w=1.6, h=1.6)
    scene.stroke(((30, 32), (34, 32)), "ink", 1)


FACES: dict[str, Callable[[Scene, Look], None]] = {
    "plain": plain, "tusks": _tusks, "sly": _sly, "grin": _grin, "fangs": _fangs, "dead": _dead,
    "glow": _glow,
    "skull": _skull, "snout": _snout, "patch": _patch, "carrot": _carrot, "alien": _alien,
}  # fmt: skip
