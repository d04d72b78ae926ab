"""What carries people: ships, cars, trains, rockets, starships, balloons."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("ship boat galleon sailboat longship frigate raft canoe caravel yacht steamboat")
def ship(scene: Scene) -> None:
    """A hull under sail, on the water."""
    says = scene.says
    hull = "wood" if not says("ghost") else "undead"
    sail = scene.brief.near("sail", scene.main("cream", "white"))
    big = not says("sailboat", "raft", "canoe", "small", "little", "yacht", "paper")
    for x in (20, 44) if big else (32,):
        scene.post(x - 1.2, 3, 2.6, 44, "darkwood")
    if says("paper"):
        scene.poly(((32, 12), (46, 42), (18, 42)), "white", 2)
    elif says("longship", "viking"):
        sheet = scene.poly(((12, 10), (52, 10), (55, 36), (9, 36)), sail, 5)
        for x in (16, 30, 44):
            scene.box(x, 8, 7, 30, "crimson", 0, clip=sheet)
    elif big:
        for x, w in ((20, 13), (44, 12)):
            for y, h, s in ((5, 13, 0.75), (20, 18, 1)):
                scene.poly(
                    ((x - w * s, y), (x + w * s, y), (x + w * s + 2, y + h), (x, y + h - 3),
                    (x - w * s - 2, y + h)), sail, 3.5,
                )  # fmt: skip
        if says("pirate", "skull"):
            scene.spot(
                20, 27, 4, "bone" if sail in {"ink", "black"} else "ink", 3 if sail in {"ink",
                "black"} else 0,
            )  # fmt: skip
        scene.poly(((20, 3), (30, 0), (20, -2)), scene.accent("crimson", "blue"), 1)
    else:
        scene.poly(((34, 6), (56, 38), (34, 38)), sail, 3)
        scene.poly(((30, 10), (30, 38), (13, 38)), scene.accent("crimson", "blue", "amber"), 3)
    body = scene.poly(((3, 38), (10, 42), (54, 42), (62, 34), (57, 50), (50, 58), (14, 58), (7, 50)), hull, 5)
    for y in (47, 52):
        scene.stroke(((6, y), (58, y)), hull, 1)
    if big:
        for x in (18, 29, 40):
            scene.box(x, 47.5, 4.4, 4.4, "ink", 0, clip=body)
    scene.limb(
        ((3, 39), (10, 43), (54, 43), (61, 36)), 1.6, 1.6, "gold" if says("royal",
        "treasure") else "darkwood",
    )  # fmt: skip
    for x in range(2, 64, 10):
        scene.ellipse(x + 2, 60, 7, 4.4, "water", soft=x > 2)
    for x in (8, 24, 42, 56):
        scene.stroke(((x, 58), (x + 5, 57.6)), "white", 4)
    if says("ghost"):
        scene.glow(32, 30, 34, "mint")


@draws("submarine bathyscaphe u-boat")
def submarine(scene: Scene) -> None:
    """A hull with portholes and a periscope."""
    colour = scene.main("yellow", "teal", "coral")
    scene.limb(((32, 22), (32, 8), (39, 8)), 1.8, 1.8, "iron")
    scene.box(24, 16, 17, 16, colour, 4, gloss=0.6)
    scene.poly(((50, 38), (62, 26), (62, 52)), blend(colour, "rust", 0.4), 2.5)
    scene.ellipse(30, 40, 27, 15, colour, gloss=0.8)
    for x in (15, 29, 43):
        scene.ball(x, 39, 5.4, "iron", gloss=0.7)
        scene.spot(x, 39, 3.4, "sky", 4)
        scene.dot(x - 1, 38, "white", 5, w=1.4, h=1.4)
    scene.stroke(((8, 48), (52, 48)), colour, 1, 1.4)
    for x, y in ((56, 14), (50, 8), (58, 5)):
        scene.ball(x, y, 2, "sky", gloss=1)


@draws("car truck taxi bus van ambulance racecar jeep tank tractor wagon cart carriage firetruck motorcycle buggy")
def car(scene: Scene) -> None:
    """Something on wheels, heading left."""
    says = scene.says
    scene.stand(32, 58, 30)
    if says("tank"):
        colour = scene.main("olive", "sand")
        scene.limb(((26, 22), (2, 18)), 2.6, 2.6, blend(colour, "ink", 0.3), gloss=0.5)
        scene.poly(((20, 28), (25, 14), (44, 14), (49, 28)), colour, 4)
        scene.poly(((4, 38), (12, 27), (54, 27), (60, 38)), colour, 3)
        scene.limb(((12, 47), (52, 47)), 9.5, 9.5, "ink")
        for x in (13, 25.5, 38, 51):
            scene.ball(x, 47, 5.6, "iron", gloss=0.5)
        return
    if says("wagon", "cart", "carriage"):
        wood = scene.main("wood")
        if says("covered", "carriage"):
            scene.poly(((8, 34), (10, 10), (54, 10), (56, 34)), "cream", 7)
            for x in (22, 32, 42):
                scene.stroke(((x, 11), (x, 33)), "cream", 1)
        else:
            for x, y in ((18, 26), (28, 22), (40, 24), (48, 28)):
                scene.ball(x, y, 7, scene.accent("amber", "orange", "leaf"))
        scene.box(4, 31, 56, 14, wood, 3)
        for x in (15, 49):
            _wheel(scene, x, 48, 11, "wood")
        return
    colour = scene.main("red", "blue", "amber", "teal")
    tall = says("bus", "truck", "van", "ambulance", "firetruck")
    if says("tractor"):
        scene.box(34, 10, 20, 22, colour, 3, gloss=0.6)
        scene.box(37, 14, 14, 12, "sky", 2, gloss=0.8, soft=True)
        scene.box(6, 28, 44, 16, colour, 4, gloss=0.6)
        scene.post(14, 14, 4, 15, "iron")
        _wheel(scene, 15, 50, 9, "amber")
        _wheel(scene, 46, 45, 15, "amber")
        return
    if tall:
        scene.box(3, 14, 58, 36, colour, 5, gloss=0.6)
        for x in (8, 21, 34, 47) if says("bus") else (7,):
            scene.box(x, 19, 10 if says("bus") else 13, 12, "sky", 2, gloss=0.8, soft=True)
        scene.box(3, 37, 58, 4, scene.accent("white", "cream"), 1, soft=True)
        if says("truck"):
            scene.box(24, 8, 38, 36, blend(colour, "white", 0.7), 4)
        if says("ambulance"):
            scene.dot(42, 27, "red", 3, w=4, h=12)
            scene.dot(42, 27, "red", 3, w=12, h=4)
            scene.box(26, 9, 9, 5, "ember", 1.5, gloss=1)
        if says("firetruck"):
            scene.limb(((20, 10), (60, 6)), 2, 2, "steel")
    else:
        low = 6 if says("racecar", "sports", "race") else 0
        scene.poly(
            ((16, 32), (23, 16 + low), (44, 16 + low), (53, 32)), blend(colour, "ink", 0.15), 3, gloss=0.6,
        )  # fmt: skip
        scene.poly(((20, 31), (25, 20 + low), (33, 20 + low), (33, 31)), "sky", 2, gloss=0.8, soft=True)
        scene.poly(((36, 31), (36, 20 + low), (42, 20 + low), (48, 31)), "sky", 2, gloss=0.8, soft=True)
        scene.poly(((2, 48), (3, 35), (14, 31), (56, 31), (62, 37), (62, 48)), colour, 5, gloss=0.8)
        if says("taxi"):
            scene.box(27, 11, 11, 6, "white", 1.5)
            for x in range(6, 60, 8):
                scene.dot(x, 42, "ink", 1, w=4, h=2.4)
    scene.dot(5, 39, "spark", 4, w=4, h=4)
    scene.dot(60, 39, "red", 3, w=3, h=4)
    for x in (16, 48):
        _wheel(scene, x, 49, 8.6, "steel")


def _wheel(scene: Scene, x: float, y: float, r: float, hub: str) -> None:
    scene.ball(x, y, r, "ink")
    scene.ball(x, y, r * 0.55, hub, gloss=0.5)
    scene.dot(x, y, "ink", 1, w=2, h=2)


@draws("train locomotive tram minecart handcar")
def train(scene: Scene) -> None:
    """A steam engine; a cart on rails when it is one."""
    colour = scene.main("navy", "crimson", "pine")
    scene.stand(32, 59, 30)
    if scene.says("minecart", "handcar"):
        scene.limb(((2, 60), (62, 60)), 1.4, 1.4, "iron")
        for x, y in ((16, 22), (27, 17), (38, 19), (48, 23)):
            scene.ball(x, y, 8, scene.accent("gold", "ink", "cyan"), gloss=0.8)
        scene.poly(((4, 22), (60, 22), (52, 48), (12, 48)), "iron", 4, gloss=0.5)
        scene.box(3, 20, 58, 6, "steel", 2, gloss=0.6)
        for x in (19, 45):
            _wheel(scene, x, 51, 7, "steel")
        return
    for x, y, r in ((14, 3, 4.4), (22, 0, 5), (32, 1, 4)):
        scene.ball(x, y, r, "white")
    scene.poly(((9, 10), (19, 10), (17, 22), (11, 22)), "ink", 2)
    scene.box(40, 10, 20, 38, colour, 4, gloss=0.4)
    scene.box(37, 7, 26, 5, blend(colour, "ink", 0.4), 2)
    scene.box(45, 16, 10, 10, "spark", 1.5, soft=True, tone=0.4)
    scene.box(6, 22, 36, 22, colour, 9, gloss=0.9)
    for x in (18, 29):
        scene.box(x, 22, 2.6, 22, "gold", 1, soft=True, gloss=0.6)
    scene.ball(27, 20, 4.4, "gold", gloss=0.9)
    scene.box(4, 44, 56, 5, "crimson", 1.6)
    scene.poly(((6, 46), (0, 58), (10, 58)), "iron", 1.5)
    for x, r in ((16, 6), (29, 6), (47, 8)):
        _wheel(scene, x, 58 - r, r, "gold")
    scene.dot(5, 30, "spark", 4, w=3, h=5)
