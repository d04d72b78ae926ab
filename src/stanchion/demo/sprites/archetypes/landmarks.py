"""What marks a place: signs, fences, graves, totems, obelisks; and rocks."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("rock boulder stone ore meteorite pebble nugget ingot coal")
def rock(scene: Scene) -> None:
    """A boulder; ore has veins, an ingot is cast."""
    says, chance = scene.says, scene.chance
    colours = [one for one in scene.brief.colours if one not in {"stone", "rock", "leaf", "olive"}]
    scene.stand(32, 58, 25)
    if says("ingot", "ingots"):
        metal = colours[0] if colours else "gold"
        for x, y in ((18, 38), (46, 38), (32, 20)):
            scene.poly(((x - 9, y), (x + 9, y), (x + 13, y + 18), (x - 13, y + 18)), metal, 3.5, gloss=1)
            scene.poly(((x - 9, y), (x + 9, y), (x + 7, y + 6), (x - 7, y + 6)), metal, 0, tone=1, soft=True)
        scene.glint(40, 22, 4)
        return
    base = "ink" if says("coal") else chance.pick(("stone", "rock"))
    body = scene.poly(
        ((6, 56), (8, 38), (18, 20), (32, 11), (46, 17), (57, 36), (59, 56), (50, 60), (14, 60)), base, 11,
    )  # fmt: skip
    scene.poly(((18, 21), (32, 12), (45, 18), (38, 31), (24, 33)), base, 0, tone=0.7, soft=True)
    scene.poly(((24, 33), (38, 31), (44, 47), (30, 52), (14, 44)), base, 0, tone=0, soft=True)
    scene.stroke(((38, 31), (44, 47), (40, 58)), base, 1)
    scene.stroke(((24, 33), (14, 44)), base, 1)
    if colours or says("ore"):
        for i in range(8):
            x, y = 16 + (i % 4) * 10 + chance.between(-3, 4), 26 + (i // 4) * 16 + chance.between(-4, 6)
            r = chance.between(3.4, 5.6)
            scene.poly(
                ((x, y - r), (x + r, y), (x, y + r), (x - r, y)), colours[0] if colours else "gold", 2,
                gloss=1, clip=body,
            )  # fmt: skip
        scene.glint(44, 26, 3)
    elif says("mossy"):
        scene.poly(
            ((12, 30), (18, 18), (32, 9), (47, 15), (55, 28), (49, 25), (44, 33), (37, 23), (29, 32), (23,
            25), (17, 34)), "leaf", 3,
        )  # fmt: skip


@draws("sign signpost fence gravestone tombstone grave statue totem scarecrow obelisk monolith anvil")
def landmark(scene: Scene) -> None:
    """Something that marks a place."""
    says = scene.says
    scene.stand(32, 60, 22)
    if says("anvil"):
        metal = scene.main("iron")
        scene.poly(
            ((14, 60), (18, 50), (26, 46), (26, 36), (38, 36), (38, 46), (46, 50), (50, 60)), metal, 4,
            gloss=0.6,
        )  # fmt: skip
        scene.poly(((3, 22), (16, 19), (58, 19), (58, 30), (44, 37), (22, 37), (14, 28)), metal, 4, gloss=0.9)
    elif says("gravestone", "tombstone", "grave"):
        scene.poly(
            ((14, 58), (14, 26), (19, 14), (32, 8), (45, 14), (50, 26), (50, 58)), scene.main("stone"), 5,
        )  # fmt: skip
        scene.box(29.5, 18, 5, 22, "night", 0, soft=True)
        scene.box(23, 24, 18, 5, "night", 0, soft=True)
        scene.stroke(((44, 14), (39, 24), (43, 30)), "stone", 0)
        for x in range(8, 60, 6):
            scene.poly(((x - 3, 61), (x, 52), (x + 3, 61)), "grass", 1)
    elif says("fence"):
        wood = scene.main("wood", "white")
        for y in (30, 46):
            scene.box(2, y, 60, 6, wood, 2)
        for x in (8, 24, 40, 56):
            scene.poly(((x - 5, 60), (x - 5, 20), (x, 12), (x + 5, 20), (x + 5, 60)), wood, 3)
    elif says("scarecrow"):
        scene.limb(((32, 60), (32, 20)), 2.2, 2.2, "wood")
        scene.limb(((6, 32), (58, 32)), 4.6, 4.6, scene.main("crimson", "blue"))
        scene.poly(((22, 28), (42, 28), (45, 50), (19, 50)), scene.main("crimson", "blue"), 4)
        for x in (5, 59):
            scene.limb(((x, 32), (x + (x - 32) * 0.06, 40)), 2, 1, "yellow")
        scene.ball(32, 18, 10, "sand")
        scene.poly(((14, 14), (24, 2), (40, 2), (50, 14)), "tan", 4)
        scene.eyes(18, 4, 1.8)
        scene.stroke(((28, 23), (36, 23)), "ink", 1)
    elif says("sign", "signpost"):
        scene.post(29, 20, 6, 40, "darkwood")
        scene.poly(((6, 10), (48, 10), (58, 19), (48, 28), (6, 28)), scene.main("wood"), 3)
        scene.stroke(((13, 16), (40, 16)), "darkwood", 1, 1.6)
        scene.stroke(((13, 22), (34, 22)), "darkwood", 1, 1.6)
        scene.poly(
            ((58, 32), (22, 32), (13, 40), (22, 47), (58, 47)), blend(scene.main("wood"), "cream", 0.15), 3,
        )  # fmt: skip
        scene.stroke(((26, 39), (50, 39)), "darkwood", 1, 1.6)
    elif says("totem"):
        for y, one in ((6, "red"), (24, "teal"), (42, "amber")):
            scene.box(16, y, 32, 18, one, 4)
            scene.eyes(y + 6, 7, 3.4)
            scene.box(22, y + 11, 20, 4, "ink", 0, soft=True)
        scene.poly(((17, 26), (3, 16), (4, 30), (16, 36)), "wood", 2.5, mirror=True)
    else:
        stone, light = scene.main("stone", "obsidian", "night"), scene.accent("cyan", "arcane", "lime")
        scene.box(12, 52, 40, 8, stone, 2.5)
        scene.poly(((20, 52), (23, 12), (32, 2), (41, 12), (44, 52)), stone, 6)
        for y, form in ((18, 0), (28, 1), (38, 2)):
            scene.stroke(((29, y), (35, y + 4 - form * 2), (29, y + 6)), light, 4, 1.6)
        scene.glow(32, 28, 32, light)
