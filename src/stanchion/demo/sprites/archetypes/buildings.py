"""Places: castles, towers, houses, tents, temples, portals."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.chance import speckle
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene


def masonry(scene: Scene, wide: float = 8, high: float = 4.4) -> Callable[[float, float], float]:
    """Return the texture of coursed stone."""
    grain = scene.chance.grain

    def tex(x: float, y: float) -> float:
        row = int(y / high)
        across = x + (wide / 2 if row % 2 else 0)
        if y % high < 1 or across % wide < 1:
            return -0.75
        return (speckle(int(across / wide), row, grain) - 0.5) * 0.9

    return tex


def shingles(scene: Scene) -> Callable[[float, float], float]:
    """Return the texture of a tiled roof."""
    grain = scene.chance.grain

    def tex(x: float, y: float) -> float:
        row = int(y / 4)
        across = x + (2.5 if row % 2 else 0)
        if y % 4 < 1:
            return -0.8
        return (speckle(int(across / 5), row, grain) - 0.5) * 0.9

    return tex


def window(scene: Scene, x: float, y: float, *, w: float = 5, h: float = 7) -> None:
    """Draw a lit window."""
    light = "spark" if scene.chance.likely(0.8) else "sky"
    scene.box(x - w / 2 - 1.2, y - 1.2, w + 2.4, h + 2.4, "darkwood", 1)
    scene.box(x - w / 2, y, w, h, light, 0, soft=True, tone=0.4)
    scene.dot(x, y + h / 2, "darkwood", 2, w=1, h=h)


def _siding(*, lying: bool, upright: bool) -> Callable[[float, float], float]:
    """Return the texture of logs that lie, of boards that stand, or of plaster."""

    def tex(x: float, y: float) -> float:
        seam = y if lying else x
        return -0.9 if (lying or upright) and seam % 5 < 1 else 0.0

    return tex


def door(scene: Scene, x: float, base: float, *, w: float = 11, h: float = 16) -> None:
    """Draw an arched door."""
    scene.poly(
        ((x - w / 2 - 1.5, base), (x - w / 2 - 1.5, base - h + 4), (x, base - h - 2),
        (x + w / 2 + 1.5, base - h + 4), (x + w / 2 + 1.5, base)), "rock", 1.5,
    )  # fmt: skip
    scene.poly(
        ((x - w / 2, base), (x - w / 2, base - h + 5), (x, base - h), (x + w / 2, base - h + 5), (x + w / 2,
        base)), "wood", 2,
    )  # fmt: skip
    scene.stroke(((x, base - h + 2), (x, base - 1)), "wood", 1)
    scene.dot(x + w * 0.25, base - h * 0.42, "gold", 4, w=1.8, h=1.8)


def flag(scene: Scene, x: float, y: float, colour: str) -> None:
    """Draw a pennant whose pole stands at the point."""
    scene.limb(((x, y), (x, y - 11)), 0.8, 0.8, "darkwood")
    scene.poly(((x + 0.6, y - 11), (x + 9, y - 8), (x + 0.6, y - 5)), colour, 1)


@draws("castle fortress keep citadel palace stronghold")
def castle(scene: Scene) -> None:
    """A keep between two towers."""
    stone, roof = scene.main("stone", "white", "sand"), scene.accent("crimson", "blue", "purple")
    tex = masonry(scene)
    scene.stand(32, 60, 29)
    scene.box(20, 18, 24, 30, blend(stone, "ink", 0.15), 2, tex=tex)
    for x in (20, 28.5, 37):
        scene.box(x, 13, 7, 7, blend(stone, "ink", 0.15), 1.5)
    window(scene, 32, 24, w=5, h=8)
    flag(scene, 32, 13, roof)
    pointed = scene.chance.likely(0.6) or scene.says("palace", "fairy", "roof", "haunted")
    for x in (4, 46):
        scene.post(x, 22, 14, 38, stone, tex=tex)
        if pointed:
            scene.poly(((x - 2, 23), (x + 7, 3), (x + 16, 23)), roof, -1)
            flag(scene, x + 7, 6, blend(roof, "gold", 0.5))
        else:
            scene.box(x - 1.5, 18, 17, 6, stone, 1.5)
            for dx in (-1.5, 4.5, 10.5):
                scene.box(x + dx, 13.5, 5, 6, stone, 1.2)
        window(scene, x + 7, 31, w=3.6, h=6)
    scene.box(16, 36, 32, 24, stone, 2, tex=tex)
    for x in (16, 23.2, 30.4, 37.6):
        scene.box(x + 1.5, 32, 5, 6, stone, 1.2)
    door(scene, 32, 60, w=12, h=17)


@draws("tower lighthouse turret belltower skyscraper watchtower")
def tower(scene: Scene) -> None:
    """One tall thing: a mage's tower, a lighthouse, a city block."""
    says = scene.says
    scene.stand(32, 60, 18)
    if says("skyscraper", "office"):
        glass = scene.main("sky", "navy", "teal")
        for x, y, w in ((10, 26, 16), (38, 18, 17), (21, 5, 22)):
            scene.box(x, y, w, 60 - y, blend(glass, "grey", 0.5), 2)
            for wy in range(y + 4, 56, 5):
                for wx in range(int(x) + 3, int(x + w) - 2, 4):
                    lit = speckle(wx, wy, scene.chance.grain) > 0.45
                    scene.dot(wx + 1, wy, "spark" if lit else "navy", 3 if lit else 2, w=2.4, h=2.8)
        scene.limb(((32, 5), (32, -2)), 0.8, 0.8, "iron")
        return
    if says("lighthouse"):
        colour = scene.main("red")
        body = scene.poly(((24, 18), (40, 18), (46, 58), (18, 58)), "white", -1)
        for y in (24, 40, 54):
            scene.poly(((10, y), (54, y), (54, y + 7), (10, y + 7)), colour, -1, clip=body)
        scene.box(21, 15, 22, 4, "iron", 1.4)
        scene.box(26, 7, 12, 9, "spark", 2, tone=0.8)
        scene.poly(((23, 8), (32, -1), (41, 8)), colour, 2)
        scene.ellipse(32, 59, 22, 4.4, "rock")
        window(scene, 32, 33, w=4, h=5)
        scene.glow(32, 11, 30, "spark")
        return
    stone, roof = scene.main("stone", "rock", "sand"), scene.accent("purple", "navy", "crimson", "teal")
    scene.poly(((21, 26), (43, 26), (46, 60), (18, 60)), stone, -1, tex=masonry(scene, 7, 4))
    scene.poly(((17, 18), (47, 18), (45, 28), (19, 28)), stone, -1, tex=masonry(scene, 6, 4))
    scene.poly(((13, 20), (27, 5), (32, -3), (37, 5), (51, 20)), roof, -1, tex=shingles(scene))
    window(scene, 32, 33, w=5, h=7)
    window(scene, 26, 20.5, w=3, h=5)
    window(scene, 38, 20.5, w=3, h=5)
    door(scene, 32, 60, w=9, h=13)
    if says("wizard", "mage", "magic", "arcane", "witch"):
        scene.glow(32, 34, 34, "arcane")


@draws(
    "house cottage cabin hut home shack barn farmhouse inn tavern shop store forge smithy school "
    "bakery-shop mansion chapel church village"
)
def house(scene: Scene) -> None:
    """Walls, a roof, a door, lit windows; what it is for shows in details."""
    says, chance = scene.says, scene.chance
    scene.stand(32, 60, 29)
    if says("mushroom", "toadstool", "gnome"):
        scene.poly(((16, 32), (48, 32), (50, 60), (14, 60)), "cream", 7)
        cap = scene.dome(32, 34, 30, 30, scene.main("red"), gloss=0.5)
        for x, y, r in ((17, 18, 5), (34, 10, 5), (48, 20, 5), (31, 26, 5), (9, 27, 3.4)):
            scene.ball(x, y, r, "cream", clip=cap)
        door(scene, 32, 60, w=10, h=15)
        window(scene, 20, 43, w=4, h=5)
        window(scene, 44, 43, w=4, h=5)
        return
    barn = says("barn")
    timber = says("cabin", "log", "hut", "shack")
    wall = scene.main(
        "red") if barn else scene.main("wood") if timber else scene.main("cream", "sand", "wood", "white",
    )  # fmt: skip
    roof = scene.brief.near("roof", scene.accent("brick", "navy", "pine", "rust", "purple"))
    chimney = says("forge", "smithy", "cottage", "inn", "tavern", "cabin") or chance.likely(0.5)
    if chimney:
        scene.box(43, 8, 8, 18, "brick", 1.6, tex=masonry(scene, 4, 3))
        for x, y, r in ((48, 4, 3), (52, 0, 2.4)):
            scene.ball(x, y, r, "grey", tone=0.6)
    log = timber or wall in {"wood", "darkwood"}
    scene.box(10, 30, 44, 30, wall, 2.5, tex=_siding(lying=log, upright=barn))
    if not log and not barn:
        for x in (10, 51):
            scene.box(x, 30, 3, 30, "darkwood", 1, soft=True)
        scene.box(10, 44, 44, 2.4, "darkwood", 0.8, soft=True)
    if barn:
        scene.poly(
            ((5, 33), (14, 15), (32, 5), (50, 15), (59, 33)), blend(roof, "ink", 0.2), 4,
            tex=shingles(scene),
        )  # fmt: skip
        scene.box(22, 36, 20, 24, "white", 1.5)
        scene.box(24, 38, 16, 22, wall, 1, soft=True)
        scene.stroke(((24, 38), (40, 59)), "white", 4, 1.8)
        scene.stroke(((40, 38), (24, 59)), "white", 4, 1.8)
        window(scene, 32, 20, w=6, h=6)
        return
    scene.poly(((3, 33), (14, 10), (50, 10), (61, 33)), roof, 3, tex=shingles(scene))
    if says("church", "chapel"):
        scene.box(24, 4, 16, 20, wall, 2)
        scene.poly(((21, 8), (32, -6), (43, 8)), roof, 2)
        scene.dot(32, 11, "gold", 4, w=2, h=9)
        scene.dot(32, 10, "gold", 4, w=7, h=2)
    elif chance.likely(0.5):
        scene.poly(((24, 24), (32, 12), (40, 24)), roof, 2)
        window(scene, 32, 18, w=4, h=4)
    door(scene, 32, 60, w=10, h=16)
    window(scene, 18, 38, w=6, h=7)
    window(scene, 46, 38, w=6, h=7)
    if says("tavern", "inn", "shop", "store", "bakery", "alchemist"):
        scene.limb(((52, 34), (60, 34)), 1, 1, "iron")
        scene.box(53, 36, 9, 8, "wood", 1.5)
        scene.dot(57.5, 40, "gold", 4, w=3, h=3.4)
    if says("forge", "smithy"):
        scene.box(40, 36, 13, 20, "ink", 0, soft=True)
        scene.box(41, 46, 11, 9, "flame", 3, tone=0.8, soft=True)
        scene.glow(46, 48, 26, "flame")
    if says("shop", "store", "market"):
        for i in range(8):
            scene.box(9 + i * 5.8, 32, 5.8, 6, "white" if i % 2 else "crimson", 1, soft=True)


@draws("windmill watermill mill")
def windmill(scene: Scene) -> None:
    """A mill with four sails."""
    scene.stand(32, 60, 18)
    body = scene.main("cream", "white")
    scene.poly(((23, 20), (41, 20), (47, 60), (17, 60)), body, -1, tex=masonry(scene))
    scene.poly(((19, 22), (24, 11), (32, 7), (40, 11), (45, 22)), scene.accent("brick", "navy"), 4)
    door(scene, 32, 60, w=9, h=13)
    window(scene, 32, 33, w=4, h=5)
    turn = scene.chance.between(10, 40)
    for i in range(4):
        with scene.at(32, 22, turn=turn + i * 90):
            scene.limb(((32, 32), (32, 3)), 1.2, 1, "darkwood")
            scene.poly(((33, 5), (41, 6), (41, 24), (33, 25)), "paper", 1)
            for y in (10, 15, 20):
                scene.stroke(((33, y), (40, y)), "wood", 1)
    scene.ball(32, 22, 3, "darkwood")


@draws("tent teepee yurt camp igloo")
def tent(scene: Scene) -> None:
    """Canvas over poles; snow when it is an igloo."""
    scene.stand(32, 59, 29)
    if scene.says("igloo"):
        scene.dome(30, 54, 28, 32, "snow", tex=masonry(scene, 10, 7))
        scene.dome(44, 57, 14, 19, "snow")
        scene.dome(45, 57.5, 8.5, 12.5, "navy", tone=-1)
        return
    colour, second = scene.main("sand", "crimson", "teal"), scene.accent("cream", "white", "amber")
    scene.limb(((29, 2), (35, 12)), 1.2, 1.2, "wood")
    scene.limb(((35, 2), (29, 12)), 1.2, 1.2, "wood")
    scene.poly(((32, 7), (62, 59), (2, 59)), colour, 4)
    if scene.says("striped", "circus"):
        for x in (-22, -8, 8, 22):
            scene.poly(((32, 8), (32 + x + 4, 58), (32 + x - 4, 58)), second, 1, soft=True)
    else:
        scene.poly(((6, 52), (58, 52), (61, 58), (3, 58)), second, 1, soft=True)
    scene.poly(((32, 24), (44, 59), (20, 59)), "ink", 0, soft=True)
    scene.poly(((32, 24), (20, 59), (13, 59)), blend(colour, "white", 0.3), 2, soft=True)
