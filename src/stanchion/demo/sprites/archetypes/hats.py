"""What figures wear on a head centred on (32, 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.archetypes.looks import Look
    from stanchion.demo.sprites.scene import Scene


def _metal(look: Look) -> str:
    return look.cloth if look.body == "plate" else "iron"


def _helm(scene: Scene, look: Look) -> None:
    metal = _metal(look)
    scene.poly(
        ((19, 36), (18.5, 19), (24, 11), (32, 9), (40, 11), (45.5, 19), (45, 36), (32, 39)), metal, 6,
        gloss=0.8,
    )  # fmt: skip
    scene.dot(32, 24, "ink", 0, w=18, h=3.2)
    scene.dot(32, 31, "ink", 0, w=1.5, h=10)
    for x in (25, 28, 36, 39):
        scene.dot(x, 32, "ink", 1, w=1.2, h=1.2)
    plume = scene.brief.near("plume", scene.accent("crimson", "blue", "purple", "white"))
    scene.limb(((32, 10), (37, 4), (45, 5), (49, 11)), 3.6, 1.6, plume)


def _winged(scene: Scene, look: Look) -> None:
    _helm(scene, look)
    scene.poly(((20, 22), (9, 5), (8, 16), (12, 25), (20, 28)), "white", 2.5, mirror=True)


def _kettle(scene: Scene, look: Look) -> None:
    metal = _metal(look)
    scene.poly(((21, 19), (24, 11), (32, 8), (40, 11), (43, 19)), metal, 4, gloss=0.7)
    scene.ellipse(32, 19, 15.5, 3.2, metal, gloss=0.6)


def _horned(scene: Scene, look: Look) -> None:
    metal = _metal(look)
    scene.limb(((21, 16), (12, 14), (9, 4)), 3.4, 1, "bone", mirror=True)
    scene.poly(((19.5, 21), (21, 13), (32, 8), (43, 13), (44.5, 21)), metal, 4.5, gloss=0.7)
    scene.box(18.5, 18.5, 27, 4, "gold", 1.4, gloss=0.4)


def _crest(scene: Scene, look: Look) -> None:
    scene.poly(((22, 12), (26, 2), (38, 2), (42, 12)), scene.accent("crimson"), 2)
    scene.poly(
        ((19, 30), (19, 18), (24, 11), (40, 11), (45, 18), (45, 30), (40, 21), (24, 21)), "bronze", 3,
        gloss=0.8,
    )  # fmt: skip
    del look


def _crescent(scene: Scene, look: Look) -> None:
    scene.poly(
        ((32, 12), (20, 6), (17, -3), (25, 4), (32, 6), (39, 4), (47, -3), (44, 6)), "gold", 1.5, gloss=0.6,
    )  # fmt: skip
    scene.poly(
        ((16, 27), (19, 14), (32, 8), (45, 14), (48, 27), (42, 21), (22, 21)), look.cloth, 4, gloss=0.5,
    )  # fmt: skip


def _pointed(scene: Scene, look: Look) -> None:
    hat = scene.brief.near("hat", look.cloth)
    bend = scene.chance.between(-5, 7)
    scene.limb(((32, 15), (32, 6), (34 + bend, -5)), 10, 1.2, hat)
    scene.ellipse(32, 16, 18, 4.4, hat)
    scene.limb(((22.5, 12.5), (32, 14.5), (41.5, 12.5)), 1.7, 1.7, scene.accent("gold", "amber"))
    scene.dot(32, 13.5, "gold", 4, w=4, h=4)


def _cone(scene: Scene, look: Look) -> None:
    hat = scene.brief.near("hat", "red")
    del look
    scene.limb(((32, 14), (33, 4), (41, -4)), 11, 2, hat)
    scene.limb(((21, 17), (32, 15), (43, 17)), 3, 3, "white")
    scene.ball(42, -4, 3.4, "white")


def _hood(scene: Scene, look: Look) -> None:
    scene.limb(((20, 33), (19, 22), (24, 13), (32, 10), (40, 13), (45, 22), (44, 33)), 3, 3, look.cloth)


def _mask(scene: Scene, look: Look) -> None:
    band = scene.accent("red", "crimson", "white")
    scene.limb(((44, 19), (52, 22), (56, 28)), 2, 1, band)
    scene.poly(((20, 22), (20.5, 15), (26, 10.5), (38, 10.5), (43.5, 15), (44, 22)), look.cloth, 4)
    scene.poly(((20, 28), (44, 28), (42, 34), (32, 37), (22, 34)), look.cloth, 3)
    scene.box(19.5, 17.5, 25, 3.6, band, 1.2)


def _crown(scene: Scene, look: Look) -> None:
    del look
    scene.poly(((20, 17), (18, 4), (25, 10), (32, 2), (39, 10), (46, 4), (44, 17)), "gold", 3, gloss=0.9)
    for x, gem in ((25, "ruby"), (32, "sapphire"), (39, "emerald")):
        scene.dot(x, 13.5, gem, 4, w=3, h=3)


def _circlet(scene: Scene, look: Look) -> None:
    del look
    scene.limb(((20.5, 17), (32, 15), (43.5, 17)), 1.5, 1.5, "gold", gloss=0.8)
    scene.ball(32, 14, 2.4, scene.accent("ruby", "cyan", "emerald"), gloss=1)


def _mitre(scene: Scene, look: Look) -> None:
    scene.poly(((21, 18), (20, 6), (32, -5), (44, 6), (43, 18)), look.cloth, 4)
    scene.box(20.5, 15, 23, 3.6, "gold", 1.2)
    scene.dot(32, 6, "gold", 3, w=2, h=12)
    scene.dot(32, 5, "gold", 3, w=8, h=2)


def _feather(scene: Scene, look: Look) -> None:
    hat = blend(look.cloth, "ink", 0.25)
    scene.limb(((41, 14), (49, 6), (57, 4)), 2.6, 1, scene.accent("red", "white", "amber"))
    scene.poly(((17, 19), (25, 8), (38, 8), (46, 15), (54, 17), (44, 21), (24, 21)), hat, 3.5)


def _tricorn(scene: Scene, look: Look) -> None:
    del look
    scene.poly(((12, 16), (20, 8), (32, 4), (44, 8), (52, 16), (44, 20), (32, 17), (20, 20)), "ink", 3.5)
    scene.stroke(((13, 16), (20, 19), (32, 16), (44, 19), (51, 16)), "gold", 3)
    scene.spot(32, 10.5, 2.8, "bone", 4)


def _straw(scene: Scene, look: Look) -> None:
    del look
    scene.poly(((23, 17), (25, 8), (39, 8), (41, 17)), "sand", 3)
    scene.ellipse(32, 17, 19, 4.4, "sand")
    scene.limb(((23.5, 14.5), (32, 16), (40.5, 14.5)), 1.4, 1.4, "crimson")


def _wide(scene: Scene, look: Look) -> None:
    hat = blend(look.cloth, "ink", 0.2)
    scene.poly(((22, 17), (25, 6), (32, 8), (39, 6), (42, 17)), hat, 3.5)
    scene.ellipse(32, 17, 18, 3.6, hat)
    scene.limb(((23, 14.5), (32, 15.5), (41, 14.5)), 1.3, 1.3, "ink")


def _lamp(scene: Scene, look: Look) -> None:
    del look
    scene.poly(((19.5, 20), (22, 11), (32, 8), (42, 11), (44.5, 20)), "yellow", 4, gloss=0.6)
    scene.ball(32, 14, 4, "white", gloss=1)
    scene.glow(32, 12, 20, "spark")


def _toque(scene: Scene, look: Look) -> None:
    del look
    with scene.group():
        for x, y, r in ((23, 5, 7), (41, 5, 7), (32, 2, 8)):
            scene.ball(x, y, r, "white")
        scene.box(22.5, 6, 19, 12, "white", 3)


def _turban(scene: Scene, look: Look) -> None:
    colour = scene.brief.near("turban", blend(look.cloth, "white", 0.75))
    for y, rx in ((16, 13), (11, 11), (7, 7)):
        scene.ellipse(32, y, rx, 4.6, colour)
    scene.ball(32, 12, 2.6, "ruby", gloss=1)


def _goggles(scene: Scene, look: Look) -> None:
    del look
    scene.box(19.5, 14, 25, 4, "leather", 1.4)
    for x in (26, 38):
        scene.ball(x, 16, 4.8, "bronze", gloss=0.5)
        scene.spot(x, 16, 3, "cyan", 4)
        scene.dot(x - 1, 15, "white", 5, w=1.5, h=1.5)


def _bubble(scene: Scene, look: Look) -> None:
    scene.ellipse(32, 23, 15.5, 15, look.cloth, gloss=0.4)
    scene.ellipse(32, 24, 11.5, 9.5, "navy", gloss=1)
    scene.stroke(((25, 20), (29, 18)), "white", 5, 1.6)
    scene.ball(47, 24, 3, "orange")


def _bells(scene: Scene, look: Look) -> None:
    for points, colour in (
        (((26, 15), (14, 8), (8, 16)), look.cloth),
        (((38, 15), (50, 8), (56, 16)), "amber"),
        (((32, 14), (32, 2), (38, -3)), "teal"),
    ):
        scene.limb(points, 6, 2.4, colour)
        scene.ball(*points[-1], 2.6, "gold", gloss=0.8)


def _horns(scene: Scene, look: Look) -> None:
    del look
    scene.limb(((23, 14), (17, 9), (19, 1)), 3.2, 0.9, "bone", mirror=True)


def _antlers(scene: Scene, look: Look) -> None:
    del look
    scene.limb(((25, 14), (19, 7), (18, -2)), 1.7, 1, "bone", mirror=True)
    scene.limb(((19, 7), (12, 3)), 1.4, 0.9, "bone", mirror=True)
    scene.limb(((20, 17), (32, 14), (44, 17)), 2, 2, "leaf")


def _fin(scene: Scene, look: Look) -> None:
    scene.poly(
        ((24, 14), (26, 3), (30, 8), (33, 0), (36, 8), (41, 5), (41, 15)), blend(look.skin, "red", 0.6), 2,
    )  # fmt: skip


def _halo(scene: Scene, look: Look) -> None:
    del look
    scene.limb(((22, 4), (27, 2), (37, 2), (42, 4), (37, 6), (27, 6), (22, 4)), 1.2, 1.2, "gold", gloss=1)
    scene.glow(32, 10, 26, "holy")


def _top(scene: Scene, look: Look) -> None:
    del look
    scene.box(23, -3, 18, 17, "ink", 3)
    scene.ellipse(32, 14, 15, 3, "ink")
    scene.box(23, 8, 18, 4, scene.accent("red", "blue"), 1)


def _wraps(scene: Scene, look: Look) -> None:
    for y in (14, 18, 29, 33):
        scene.stroke(((21, y + 1), (43, y - 1)), look.skin, 1)


def _flower(scene: Scene, look: Look) -> None:
    del look
    for x, y in ((24, 10), (28, 6), (32, 10), (28, 14)):
        scene.ball(x, y, 3.2, "pink")
    scene.ball(28, 10, 2.2, "yellow")


def _foliage(scene: Scene, look: Look) -> None:
    with scene.group():
        for x, y, r in ((19, 15, 8), (45, 15, 8), (25, 7, 9), (39, 7, 9), (32, 3, 9)):
            scene.ball(x, y, r, look.cloth)


def _feelers(scene: Scene, look: Look) -> None:
    scene.limb(((27, 12), (22, 2)), 1.2, 1.2, look.skin, mirror=True)
    scene.ball(22, 1, 2.6, "spark", gloss=1, mirror=True)


def _flames(scene: Scene, look: Look) -> None:
    for x, y in ((21, 6), (27, -1), (34, -5), (40, 1), (45, 8)):
        scene.poly(((x - 6, 18), (x - 3, y + 7), (x, y), (x + 4, y + 8), (x + 5, 18)), look.skin, 3, tone=0.6)


HATS: dict[str, Callable[[Scene, Look], None]] = {
    "helm": _helm, "winged": _winged, "kettle": _kettle, "horned": _horned, "crest": _crest,
    "crescent": _crescent,
    "pointed": _pointed, "cone": _cone, "hood": _hood, "mask": _mask, "crown": _crown, "circlet": _circlet,
    "mitre": _mitre, "feather": _feather, "tricorn": _tricorn, "straw": _straw, "wide": _wide, "lamp": _lamp,
    "toque": _toque, "turban": _turban, "goggles": _goggles, "bubble": _bubble, "bells": _bells,
    "horns": _horns,
    "antlers": _antlers, "fin": _fin, "halo": _halo, "top": _top, "wraps": _wraps, "flower": _flower,
    "foliage": _foliage, "feelers": _feelers, "flames": _flames,
}  # fmt: skip
