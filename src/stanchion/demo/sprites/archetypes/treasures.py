"""What adventurers carry home: potions, gems, coins, chests, keys, hearts, skulls and orbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("potion flask bottle vial elixir tonic antidote brew jar beaker")
def potion(scene: Scene) -> None:
    """A glass with something in it, stoppered."""
    liquid = scene.main(*(scene.brief.others or ("red", "cyan", "lime", "violet", "amber", "pink")))
    if liquid in {"glass", "wood"}:
        liquid = "red"
    chance = scene.chance
    form = chance.pick(("round", "cone", "tall", "square", "heart"))
    form = {"vial": "tall", "bottle": "tall", "beaker": "cone", "jar": "square", "flask": "cone"}.get(
        scene.brief.noun, form
    )
    neck = 22.0
    scene.stand(32, 59, 15)
    scene.post(27, 10, 10, neck - 4, "glass", gloss=1)
    match form:
        case "round":
            body = scene.ball(32, 40, 20, "glass", gloss=1)
            scene.ellipse(32, 43, 17, 14.5, liquid, clip=body, gloss=0.8)
        case "cone":
            body = scene.poly(
                ((27, 20), (37, 20), (52, 54), (49, 60), (15, 60), (12, 54)), "glass", 4, gloss=1,
            )  # fmt: skip
            scene.poly(
                ((21.5, 38), (42.5, 38), (48, 53), (46, 57), (18, 57), (16, 53)), liquid, 6, clip=body,
                gloss=0.8,
            )  # fmt: skip
        case "tall":
            body = scene.box(21, 20, 22, 40, "glass", 5, gloss=1)
            scene.box(23.6, 31, 16.8, 26, liquid, 5, clip=body, gloss=0.8)
        case "square":
            body = scene.box(14, 24, 36, 36, "glass", 5, gloss=1)
            scene.box(17, 34, 30, 23, liquid, 6, clip=body, gloss=0.8)
        case _:
            with scene.group() as body:
                scene.ball(22, 34, 12.5, "glass", gloss=1)
                scene.ball(42, 34, 12.5, "glass", gloss=1)
                scene.poly(((11.5, 40), (52.5, 40), (32, 61)), "glass", 4)
            scene.poly(((12, 36), (52, 36), (48, 44), (32, 57.5), (16, 44)), liquid, 6, clip=body, gloss=0.8)
    scene.limb(
        ((25.5, 20), (38.5, 20)), 2.2, 2.2, scene.accent("gold", "cream",
        "bronze") if scene.brief.colours else "gold", gloss=0.6,
    )  # fmt: skip
    scene.box(26.5, 4, 11, 9, "wood", 2.5)
    scene.limb(((25.5, 12), (38.5, 12)), 1.8, 1.8, "glass", gloss=1)
    for _ in range(4):
        scene.spot(chance.between(24, 41), chance.between(41, 54), chance.between(0.8, 1.8), liquid, 4)
    scene.stroke(
        ((23.5, 32), (22.5, 42)) if form in {"round", "tall"} else ((25, 34), (21, 44)), "white", 5, 1.8,
    )  # fmt: skip
    if scene.says("skull", "poison", "deadly", "toxic"):
        scene.spot(33, 46, 5, "bone", 4)
        scene.dot(33, 51, "bone", 4, w=5, h=4)
        for x in (31, 35):
            scene.dot(x, 46, "ink", 0, w=2.2, h=2.6)
    scene.glow(32, 42, 30, liquid)


@draws("gem gemstone jewel crystal diamond emerald ruby sapphire amethyst topaz shard geode opal garnet")
def gem(scene: Scene) -> None:
    """A cut stone, or a cluster of crystals."""
    usual = {"diamond": "sky", "opal": "lavender", "garnet": "crimson", "shard": "cyan", "geode": "amethyst"}
    noun = scene.brief.noun
    colours = [one for one in scene.brief.colours if one != "ice" or noun != "crystal"]
    colour = colours[0] if colours else usual.get(noun, scene.chance.pick(("cyan", "rose", "emerald", "amethyst")))
    if scene.says("cluster", "crystal", "geode", "shard", "crystals"):
        scene.stand(32, 58, 22)
        for x, y, wide, lean in (
            (20, 26, 7, -9), (45, 22, 7, 9), (32, 5, 10, 0), (12, 42, 5, -8), (52, 40, 5, 8),
        ):  # fmt: skip
            for side, tone in ((-1, 0.9), (1, -0.7)):
                scene.poly(
                    ((x + lean * 0.3, y), (x + side * wide, y + 8),
                    (32 + (x - 32) * 0.6 + side * wide * 0.7, 58), (32 + (x - 32) * 0.6, 59)), colour, 0,
                    tone=tone, soft=side > 0,
                )  # fmt: skip
        for x, y in ((10, 58), (22, 59), (42, 59), (54, 58)):
            scene.ellipse(x, y, 6, 3.4, "rock")
    else:
        top, mid, low = 14.0, 26.0, 58.0
        for points, tone in (
            (((18, top), (32, top), (24, mid), (6, mid)), 1.4), (((32, top), (46, top), (58, mid), (40,
                mid)), 0.2),
            (((32, top), (40, mid), (24, mid)), 2.0), (((6, mid), (24, mid), (32, low)), 0.4),
            (((24, mid), (40, mid), (32, low)), -0.1), (((40, mid), (58, mid), (32, low)), -1.3),
        ):  # fmt: skip
            scene.poly(points, colour, 0, tone=tone, soft=True)
        scene.stroke(((6, mid), (58, mid)), colour, 4)
    scene.glint(20, 18, 4)
    scene.glint(47, 40, 2.4)
    scene.glow(32, 34, 34, colour)


@draws("coin coins token doubloon")
def coin(scene: Scene) -> None:
    """A coin face on, or a stack of them."""
    colour = scene.main("gold")
    if scene.says("stack", "pile", "coins", "heap"):
        scene.stand(32, 58, 26)
        for x, base, count in ((18, 54, 4), (46, 54, 3), (32, 57, 7)):
            for i in range(count):
                scene.ellipse(x + (i % 2), base - i * 5.6 + 2, 12, 5, blend(colour, "rust", 0.4))
                scene.ellipse(x + (i % 2), base - i * 5.6, 12, 5, colour, gloss=0.9)
        scene.glint(38, 17, 4)
        return
    scene.ball(32, 32, 26, colour, gloss=0.8)
    scene.ball(32, 32, 20.5, blend(colour, "rust", 0.25), soft=True)
    with scene.at(32, 32, scale=0.46):
        scene.poly(
            ((32, 4), (39, 24), (60, 24), (43, 37), (49, 58), (32, 45), (15, 58), (21, 37), (4, 24), (25,
            24)), colour, 6, gloss=0.8,
        )  # fmt: skip
    scene.glint(16, 16, 4)


@draws("chest strongbox coffer")
def chest(scene: Scene) -> None:
    """A chest, shut; open and full if the prompt says so."""
    wood, metal = scene.main("wood"), scene.accent("gold", "iron")
    opened = scene.says("open", "overflowing", "full", "treasure") and not scene.says("locked", "closed")
    scene.stand(32, 58, 28)
    if opened:
        scene.poly(((6, 26), (10, 6), (54, 6), (58, 26)), blend(wood, "ink", 0.4), 5)
        scene.limb(((6, 25), (10, 7), (54, 7), (58, 25)), 2.4, 2.4, metal, gloss=0.6)
        for x, y in ((14, 28), (24, 24), (34, 22), (44, 25), (51, 29), (20, 30), (30, 28), (40, 29)):
            scene.ball(x, y, 5, "gold", gloss=1)
        scene.poly(((26, 15), (31, 21), (26, 27), (21, 21)), "ruby", 3, gloss=1)
        scene.poly(((43, 15), (48, 20), (43, 26), (38, 20)), "emerald", 3, gloss=1)
        scene.glow(32, 18, 32, "gold")
        scene.glint(36, 12, 3)
    else:
        lid = scene.poly(((5, 32), (6, 20), (13, 11), (51, 11), (58, 20), (59, 32)), wood, 7)
        for x in (10, 48):
            scene.box(x, 10, 6, 22, metal, 1.6, clip=lid, gloss=0.6)
    scene.box(5, 31, 54, 27, wood, 3)
    for y in (40, 49):
        scene.stroke(((7, y), (57, y)), wood, 1)
    for x in (10, 48):
        scene.box(x, 31, 6, 27, metal, 1.6, gloss=0.6)
    scene.box(4, 29, 56, 5, metal, 1.6, gloss=0.6)
    scene.box(26, 29, 12, 13, metal, 2.5, gloss=0.8)
    scene.dot(32, 34, "ink", 0, w=3.4, h=3.4)
    scene.dot(32, 37, "ink", 0, w=1.8, h=4)


@draws("key")
def key(scene: Scene) -> None:
    """A bow, a shaft and bits; it lies diagonally."""
    colour = scene.main("gold", "bronze", "silver", "iron")
    with scene.at(32, 32, turn=45, scale=1.1):
        scene.post(29.5, 22, 5, 40, colour, gloss=0.8)
        scene.box(34, 48, 9, 4.5, colour, 1.2, gloss=0.7)
        scene.box(34, 56, 11, 4.5, colour, 1.2, gloss=0.7)
        scene.ball(32, 13, 12, colour, gloss=1)
        scene.cut(32, 13, 5.6, 5.6)
        scene.box(27.5, 24, 9, 4, colour, 1.4, gloss=0.8)
        if scene.says("ornate", "crystal", "skull", "ancient", "royal", "jewelled"):
            scene.ball(32, 13, 5, scene.accent("ruby", "cyan", "emerald"), gloss=1)
    scene.glint(50, 18, 3)


@draws("heart")
def heart(scene: Scene) -> None:
    """A heart; broken, or half empty, if the prompt says so."""
    colour = scene.main("red", "rose")
    with scene.group() as body:
        scene.ball(20, 23, 15.5, colour, gloss=1)
        scene.ball(44, 23, 15.5, colour, gloss=1)
        scene.poly(((6.5, 30), (32, 20), (57.5, 30), (32, 59)), colour, 7, gloss=0.4)
    scene.oval(17, 17, 5.4, 3, -35, "white", tone=2, clip=body)
    if scene.says("broken", "cracked"):
        scene.stroke(((34, 13), (28, 24), (37, 32), (29, 42), (33, 58)), "ink", 0, 2.4)
    if scene.says("half", "empty"):
        scene.poly(((32, 4), (63, 4), (63, 63), (32, 63)), "night", 0, clip=body)
    if scene.says("winged", "wings"):
        for i in range(3):
            scene.limb(((50, 30 + i * 4), (60, 24 + i * 6)), 3, 2, "white", mirror=True)


@draws("skull bones bone")
def skull(scene: Scene) -> None:
    """A skull, over crossed bones if it is an emblem."""
    colour = scene.main("bone")
    if scene.says("crossbones", "bones", "pirate", "bone"):
        for turn in (-28, 28):
            with scene.at(32, 46, turn=turn):
                scene.limb(((6, 32), (58, 32)), 3, 3, colour)
                for x in (5, 59):
                    scene.ball(x, 29, 3.6, colour)
                    scene.ball(x, 35, 3.6, colour)
    scene.box(20, 40, 24, 16, colour, 4)
    scene.ellipse(32, 26, 23, 20, colour)
    scene.box(13, 30, 38, 12, colour, 5, soft=True)
    for x in (22.5, 41.5):
        scene.spot(x, 30, 6.6, "ink", 0)
        if scene.says("glowing", "burning", "cursed", "demon", "flaming"):
            scene.spot(x, 31, 2.8, scene.accent("ember", "lime", "cyan"), 4)
    scene.poly(((32, 36), (35.5, 43), (28.5, 43)), "ink", 0, soft=True, tone=-2)
    for x in (25, 29.6, 34.2, 38.8):
        scene.dot(x, 51, colour, 0, w=1.4, h=9)
    if scene.says("crown"):
        scene.poly(((14, 14), (11, -2), (21, 6), (32, -4), (43, 6), (53, -2), (50, 14)), "gold", 3, gloss=0.9)
    if scene.says("glowing", "burning", "flaming"):
        scene.glow(32, 30, 34, scene.accent("ember", "lime", "cyan"))


@draws("orb sphere globe ball crystal-ball snowglobe")
def orb(scene: Scene) -> None:
    """A crystal ball on a stand."""
    colour = scene.main("violet", "cyan", "emerald", "rose")
    scene.stand(32, 60, 18)
    scene.poly(((20, 46), (44, 46), (51, 60), (13, 60)), scene.accent("gold", "darkwood"), 3.5, gloss=0.6)
    ball = scene.ball(32, 28, 23, colour, gloss=1)
    chance = scene.chance
    for _ in range(3):
        x, y = chance.between(22, 42), chance.between(22, 38)
        scene.oval(x, y, 8, 2.6, chance.between(-40, 40), blend(colour, "white", 0.5), clip=ball)
    scene.oval(23, 17, 5.6, 3, -40, "white", tone=2, clip=ball)
    scene.glint(38, 30, 4)
    scene.glow(32, 28, 32, colour)
