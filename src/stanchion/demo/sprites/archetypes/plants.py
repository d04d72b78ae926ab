"""Trees, mushrooms, flowers, and what else stands in a meadow: rocks, signs, statues, fences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("tree pine fir oak-tree palm spruce willow cypress sapling maple birch")
def tree(scene: Scene) -> None:
    """A conifer, a palm, a bare or a broad tree."""
    says, chance = scene.says, scene.chance
    bark = "white" if says("birch") else "darkwood"
    scene.stand(32, 60, 20)
    if says("pine", "fir", "spruce", "christmas", "cypress", "conifer"):
        _conifer(scene)
        return
    if says("palm"):
        scene.limb(((38, 60), (36, 44), (31, 30), (29, 20)), 4, 2.6, "tan")
        for y in (54, 47, 40, 33):
            scene.stroke(((32 + (y - 30) * 0.12, y), (40, y - 1)), "tan", 1, 1.2)
        leaf = scene.main("leaf", "emerald")
        for x, y, bend in ((6, 30, 8), (10, 12, 4), (30, 3, 0), (52, 12, 4), (56, 30, 8), (44, 36, 14), (18, 38, 14)):
            scene.limb(((29, 19), ((x + 29) / 2, (y + 19) / 2 - bend), (x, y)), 4.6, 1.2, leaf)
        for x, y in ((26, 22), (33, 23)):
            scene.ball(x, y, 3.4, "darkwood")
        return
    if says("dead", "bare", "haunted", "withered", "burnt"):
        scene.limb(((32, 60), (30, 42), (33, 26)), 7, 4, bark)
        for points in (((31, 40), (20, 30), (8, 28)), ((20, 30), (16, 18)), ((32, 30), (24, 14), (26, 3)), ((33, 28), (44, 16), (56, 12)), ((44, 16), (44, 4)), ((32, 36), (46, 32), (58, 34))):
            scene.limb(points, 3, 1, bark, soft=True)
        if says("haunted"):
            for x in (28.5, 35):
                scene.spot(x, 43, 2.4, "ink", 0)
            scene.spot(31.5, 50, 2.6, "ink", 0)
        return
    colour = scene.main("pink") if says("blossom", "cherry", "sakura") else scene.main("leaf", "grass", "olive")
    if says("autumn", "maple"):
        colour = scene.chance.pick(("orange", "ember", "amber"))
    scene.limb(((32, 60), (31, 46), (33, 34)), 5.6, 4, bark)
    scene.limb(((32, 46), (43, 36)), 2.6, 2, bark, soft=True)
    for x in (23, 41):
        scene.limb(((32, 56), (x, 60)), 3, 1.4, bark, soft=True)
    for shift, tone in ((2.5, -0.9), (0, 0.1)):
        with scene.group():
            for i in range(9):
                angle = math.tau * i / 9
                x, y = 32 + math.cos(angle) * 16 + chance.between(-2, 2), 23 + math.sin(angle) * 11 + shift * 2
                scene.ball(x, y, 9.5, colour, tone=tone, tex=_leaves(scene))
            scene.ellipse(32, 22 + shift, 18, 13, colour, tone=tone, tex=_leaves(scene))
            scene.ellipse(26, 15 + shift, 11, 8, colour, tone=tone + 0.5, tex=_leaves(scene))
    fruit = "red" if says("apple", "fruit") else "gold" if says("golden") else "pink" if says("blossom", "cherry") else ""
    if fruit:
        for x, y in ((20, 28), (30, 16), (42, 24), (34, 32), (46, 34), (18, 17)):
            scene.spot(x, y, 2.2, fruit, 3)
            scene.dot(x - 0.7, y - 0.8, "white", 5, w=1, h=1)


def _leaves(scene: Scene):  # noqa: ANN202
    from stanchion.demo.sprites.chance import speckle

    grain = scene.chance.grain
    return lambda x, y: (speckle(int(x / 2), int(y / 2), grain) - 0.5) * 0.9


def _conifer(scene: Scene) -> None:
    colour = scene.main("pine", "emerald")
    scene.post(28.5, 50, 7, 10, "darkwood")
    snowy = scene.says("snow", "snowy", "winter")
    for y, half, high in ((54, 22, 20), (42, 18, 18), (30, 13.5, 16), (19, 9, 15)):
        points = [(32.0, y - high)]
        points += [(32 + half * (i / 4), y - (0 if i % 2 else 2.6)) for i in (4, 3, 2, 1, 0, -1, -2, -3, -4)]
        scene.poly(points, colour, 5, tex=_leaves(scene))
        if snowy:
            scene.poly(((32, y - high), (32 + half * 0.5, y - high * 0.4), (32 + half * 0.2, y - high * 0.5), (32 - half * 0.2, y - high * 0.3), (32 - half * 0.55, y - high * 0.35)), "white", 1.5, soft=True)
    if scene.says("christmas", "festive", "lights"):
        for i, (x, y) in enumerate(((22, 50), (34, 51), (44, 49), (27, 39), (38, 40), (30, 29), (36, 27), (32, 18))):
            scene.ball(x, y, 2.4, ("red", "gold", "cyan", "pink")[i % 4], gloss=1)
        with scene.at(32, 5, scale=0.17):
            scene.poly(((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24), (25, 24)), "gold", 6)
        scene.glow(32, 5, 14, "gold")


@draws("mushroom toadstool fungus shroom")
def mushroom(scene: Scene) -> None:
    """A cap with spots on a stem; a face if it is said to be alive."""
    colour, chance = scene.main("red", "violet", "amber", "teal"), scene.chance
    scene.stand(32, 60, 17)
    glowing = scene.says("glowing", "luminous", "magic", "bioluminescent")
    scene.poly(((25, 30), (39, 30), (42, 52), (40, 59), (24, 59), (22, 52)), "cream", 6)
    scene.ellipse(32, 33, 20, 5, blend("cream", "rust", 0.35))
    if chance.likely(0.6) or scene.says("small", "cluster"):
        scene.limb(((49, 59), (50, 48)), 3, 2.4, "cream")
        scene.ellipse(50, 46, 8, 6, colour, gloss=0.6)
        scene.spot(48, 44, 1.6, "cream", 4)
    with scene.group() as cap:
        scene.ellipse(32, 25, 27, 21, colour, gloss=0.6)
    scene.cut(32, 45, 30, 11.5)
    for x, y, r in ((20, 16, 4.4), (35, 10, 4), (46, 19, 4.6), (30, 24, 5), (12, 26, 3.4), (42, 30, 2.6)):
        scene.ball(x + chance.between(-1, 1), y, r, "cream", clip=cap, tone=0.4)
    if scene.says("walking", "angry", "cute", "happy", "monster", "smiling", "sleepy", "face"):
        scene.eyes(44, 5, 3)
        scene.stroke(((29, 50), (32, 51.5), (35, 50)), "rust", 1)
    if glowing:
        scene.glow(32, 28, 36, colour)


@draws("flower rose tulip daisy sunflower lily lotus bouquet orchid poppy violet-flower")
def flower(scene: Scene) -> None:
    """A bloom on a stalk with two leaves."""
    noun, says = scene.brief.noun, scene.says
    colour = scene.main({"sunflower": "yellow", "daisy": "white", "poppy": "red", "rose": "crimson"}.get(noun, "pink"))
    if noun == "lotus":
        scene.ellipse(32, 50, 28, 8, "leaf")
        for turn in (-64, 64, -40, 40, -18, 18, 0):
            with scene.at(32, 48, turn=turn, pivot=(32, 48)):
                scene.ellipse(32, 30, 7, 18, colour, gloss=0.3)
        return
    scene.limb(((32, 60), (33, 46), (32, 28)), 2, 2, "leaf")
    scene.oval(22, 50, 10, 4, 28, "leaf", gloss=0.3)
    scene.oval(43, 46, 10, 4, -30, "leaf", gloss=0.3)
    if noun == "tulip":
        scene.poly(((18, 10), (25, 17), (32, 6), (39, 17), (46, 10), (46, 26), (39, 36), (25, 36), (18, 26)), colour, 6, gloss=0.4)
        scene.stroke(((26, 18), (28, 34)), colour, 1)
        scene.stroke(((38, 18), (36, 34)), colour, 1)
        return
    if noun == "rose":
        scene.ball(32, 20, 15, colour, gloss=0.4)
        for x, y, r in ((26, 26, 9), (39, 25, 9), (32, 18, 9.5), (33, 16, 5)):
            scene.ball(x, y, r, colour, gloss=0.4)
        scene.stroke(((30, 16), (33, 14), (35, 17), (32, 19)), colour, 0)
        for y, side in ((38, 1), (44, -1)):
            scene.poly(((32, y - 2), (32 + side * 5, y - 1), (32, y + 2)), "leaf", 1)
        return
    count = 12 if says("sunflower", "daisy") else 6
    for i in range(count):
        angle = math.tau * i / count
        scene.oval(32 + math.cos(angle) * 12, 21 + math.sin(angle) * 12, 8.5, 4 if count == 12 else 6.6, math.degrees(angle), colour, gloss=0.3)
    scene.ball(32, 21, 8.5 if count == 12 else 6, "darkwood" if noun == "sunflower" else scene.accent("yellow", "amber"))
    if says("smiling", "happy", "face"):
        scene.eyes(20, 3, 1.8)


@draws("cactus")
def cactus(scene: Scene) -> None:
    """Arms, ribs, a flower; in a pot if the prompt says so."""
    colour = scene.main("green", "emerald")
    scene.stand(32, 60, 17)
    low = 46 if scene.says("potted", "pot") else 58
    scene.limb(((32, 40), (15, 39), (14, 27)), 4.6, 4.2, colour)
    scene.limb(((32, 32), (49, 31), (50, 18)), 4.2, 3.8, colour)
    scene.limb(((32, low), (32, 16)), 9.4, 8.6, colour)
    for x in (27, 32, 37):
        for y in range(14, int(low), 7):
            scene.dot(x, y + (x % 2) * 3, "cream", 4, w=1.2, h=2)
    scene.ball(36, 8, 4.6, "rose")
    scene.ball(28, 7, 4, "pink")
    if scene.says("potted", "pot"):
        scene.poly(((16, 46), (48, 46), (43, 60), (21, 60)), "brick", 4)
        scene.box(14, 42, 36, 7, "brick", 2.5)
        scene.eyes(28, 5, 2.4)
        scene.stroke(((30, 34), (34, 34)), colour, 0)


@draws("bush shrub hedge fern grass-tuft vine ivy seedling sprout clover bamboo reed herb leaf")
def bush(scene: Scene) -> None:
    """Leaves: a round bush, a fern, a sprout, a clover, bamboo."""
    says, chance = scene.says, scene.chance
    colour = scene.main("leaf", "emerald", "grass")
    scene.stand(32, 59, 22)
    if says("clover"):
        scene.limb(((34, 60), (32, 34)), 1.8, 1.6, colour)
        for x, y in ((22, 18), (42, 18), (20, 36), (44, 36)):
            scene.ball(x, y, 10.5, colour, gloss=0.5)
            scene.stroke(((32, 28), (x, y)), colour, 4)
    elif says("sprout", "seedling"):
        scene.ellipse(32, 55, 22, 6, "dirt")
        scene.limb(((32, 54), (31, 40), (33, 26)), 2.2, 1.8, colour)
        scene.oval(21, 22, 13, 7, 25, colour, gloss=0.5)
        scene.oval(45, 19, 13, 7, -28, colour, gloss=0.5)
    elif says("bamboo", "reed"):
        for x, top in ((18, 10), (32, 2), (45, 14)):
            for y in range(top, 56, 12):
                scene.post(x - 3.4, y, 6.8, 11.4, colour, gloss=0.4)
            scene.oval(x + 9, top + 6, 8, 2.6, -30, blend(colour, "leaf", 0.5))
    elif says("fern", "herb", "vine", "ivy", "leaf"):
        for x, y in ((4, 34), (10, 14), (24, 4), (40, 4), (54, 14), (60, 34)):
            scene.limb(((32, 58), ((x + 32) / 2, y + 8), (x, y)), 3.4, 1, colour)
            for i in (0.4, 0.6, 0.8):
                scene.oval(32 + (x - 32) * i, 58 + (y - 46) * i * 1.3 - 8 * i, 5.6, 2.2, (x - 32) * 1.4, colour, soft=True)
    else:
        with scene.group():
            for x, y, r in ((15, 46, 12), (49, 46, 12), (22, 33, 13), (42, 33, 13), (32, 26, 12), (32, 46, 14)):
                scene.ball(x, y, r, colour, tex=_leaves(scene))
        dots = "red" if says("berry", "berries", "holly") else scene.chance.pick(("pink", "amber", "rose", "white"))
        for _ in range(8):
            x, y = chance.between(12, 52), chance.between(24, 52)
            scene.spot(x, y, 1.9, dots, 3)


@draws("pumpkin jack-o-lantern gourd melon watermelon")
def pumpkin(scene: Scene) -> None:
    """Ribs and a stalk; a face if it is a lantern."""
    colour = scene.main("orange" if not scene.says("melon", "watermelon") else "green")
    scene.stand(32, 59, 24)
    scene.limb(((32, 20), (33, 12), (39, 7)), 3.6, 2.4, "olive")
    for x, rx in ((14, 11), (50, 11), (22, 12), (42, 12), (32, 12)):
        scene.ellipse(x, 39, rx, 19, colour, gloss=0.4)
    if scene.says("jack-o-lantern", "lantern", "carved", "halloween", "grinning", "evil"):
        for x in (21, 43):
            scene.poly(((x, 28), (x + 6, 38), (x - 6, 38)), "spark", 0, tone=1, soft=True)
        scene.poly(((13, 44), (22, 47), (26, 44), (31, 48), (36, 44), (41, 47), (51, 44), (43, 54), (32, 57), (21, 54)), "spark", 0, tone=1, soft=True)
        scene.glow(32, 42, 34, "flame")


@draws("rock boulder stone ore meteorite pebble nugget ingot coal")
def rock(scene: Scene) -> None:
    """A boulder; ore has veins, an ingot is cast."""
    says, chance = scene.says, scene.chance
    colours = [one for one in scene.brief.colours if one not in {"stone", "rock"}]
    scene.stand(32, 58, 25)
    if says("ingot", "ingots"):
        metal = colours[0] if colours else "gold"
        for x, y in ((18, 38), (46, 38), (32, 20)):
            scene.poly(((x - 9, y), (x + 9, y), (x + 13, y + 18), (x - 13, y + 18)), metal, 3.5, gloss=1)
            scene.poly(((x - 9, y), (x + 9, y), (x + 7, y + 6), (x - 7, y + 6)), metal, 0, tone=1, soft=True)
        scene.glint(40, 22, 4)
        return
    base = "ink" if says("coal") else "stone" if colours else scene.main("stone")
    body = scene.poly(((6, 56), (8, 38), (18, 20), (32, 11), (46, 17), (57, 36), (59, 56), (50, 60), (14, 60)), base, 11)
    scene.poly(((18, 21), (32, 12), (45, 18), (38, 31), (24, 33)), base, 0, tone=0.7, soft=True)
    scene.poly(((24, 33), (38, 31), (44, 47), (30, 52), (14, 44)), base, 0, tone=0, soft=True)
    scene.stroke(((38, 31), (44, 47), (40, 58)), base, 1)
    scene.stroke(((24, 33), (14, 44)), base, 1)
    if colours or says("ore"):
        for _ in range(6):
            x, y, r = chance.between(16, 48), chance.between(24, 52), chance.between(2.6, 4.6)
            scene.poly(((x, y - r), (x + r, y), (x, y + r), (x - r, y)), colours[0] if colours else "gold", 2, gloss=1, clip=body)
        scene.glint(44, 26, 3)
    elif says("mossy"):
        scene.poly(((16, 22), (32, 10), (48, 18), (42, 24), (34, 21), (26, 27)), "leaf", 2, soft=True)


@draws("sign signpost fence gravestone tombstone grave statue totem scarecrow obelisk monolith anvil")
def landmark(scene: Scene) -> None:
    """Something that marks a place."""
    says = scene.says
    scene.stand(32, 60, 22)
    if says("anvil"):
        metal = scene.main("iron")
        scene.poly(((14, 60), (18, 50), (26, 46), (26, 36), (38, 36), (38, 46), (46, 50), (50, 60)), metal, 4, gloss=0.6)
        scene.poly(((3, 22), (16, 19), (58, 19), (58, 30), (44, 37), (22, 37), (14, 28)), metal, 4, gloss=0.9)
    elif says("gravestone", "tombstone", "grave"):
        scene.poly(((14, 58), (14, 26), (19, 14), (32, 8), (45, 14), (50, 26), (50, 58)), scene.main("stone"), 5)
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
        scene.poly(((58, 32), (22, 32), (13, 40), (22, 47), (58, 47)), blend(scene.main("wood"), "cream", 0.15), 3)
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
