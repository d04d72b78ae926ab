"""Things to eat."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR2004

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("apple orange peach pear plum tomato fruit lemon pumpkin-fruit")
def fruit(scene: Scene) -> None:
    """A round fruit with a leaf."""
    noun = scene.brief.noun
    usual = {
        "orange": "orange",
        "peach": "coral",
        "pear": "lime",
        "plum": "purple",
        "tomato": "red",
        "lemon": "yellow",
    }
    said = [one for one in scene.brief.colours if one != noun]
    colour = said[0] if said else usual.get(noun, "red")
    scene.stand(32, 59, 18)
    if noun == "pear":
        with scene.group():
            scene.ball(32, 42, 17, colour, gloss=0.8)
            scene.ellipse(32, 24, 10, 13, colour, gloss=0.6)
    else:
        with scene.group():
            scene.ball(24, 38, 18, colour, gloss=0.8)
            scene.ball(40, 38, 18, colour, gloss=0.5, tone=-0.2)
            scene.ellipse(32, 41, 18, 18, colour, gloss=0.6)
    scene.limb(((32, 24), (33, 14), (37, 8)), 1.8, 1.5, "darkwood")
    scene.oval(43, 13, 9, 4.4, -22, "leaf", gloss=0.4)
    scene.oval(20, 31, 4.4, 2.6, -50, "white", tone=1.6, soft=True)
    if scene.says("bitten", "bite"):
        scene.cut(54, 34, 9, 9)


@draws("cherry berry grape blueberry strawberry raspberry")
def berries(scene: Scene) -> None:
    """Berries on their stalks."""
    noun = scene.brief.noun
    if noun in {"strawberry", "raspberry"}:
        scene.poly(
            ((10, 26), (20, 18), (44, 18), (54, 26), (50, 40), (32, 61), (14, 40)), "red", 10, gloss=0.5,
        )  # fmt: skip
        for x, y in ((20, 29), (32, 27), (44, 29), (26, 37), (38, 37), (32, 47), (20, 39), (44, 39)):
            scene.dot(x, y, "yellow", 4, w=1.6, h=2.4)
        for turn in (-70, -35, 0, 35, 70):
            with scene.at(32, 20, turn=turn):
                scene.poly(((28, 32), (32, 16), (36, 32)), "leaf", 1.5)
        return
    if noun in {"grape", "blueberry"}:
        colour = scene.main("purple" if noun == "grape" else "navy")
        scene.limb(((32, 18), (34, 6)), 1.8, 1.5, "wood")
        for x, y in (
            (16, 22), (27, 20), (38, 20), (49, 22), (21, 32), (32, 31), (43, 32), (27, 42), (38, 42),
            (32, 52),
        ):  # fmt: skip
            scene.ball(x, y, 7, colour, gloss=1)
        scene.oval(44, 10, 11, 5, -12, "leaf")
        return
    scene.limb(((19, 42), (24, 22), (40, 8)), 1.4, 1.4, "leaf")
    scene.limb(((46, 44), (46, 24), (40, 8)), 1.4, 1.4, "leaf")
    scene.oval(49, 12, 11, 5, 20, "leaf", gloss=0.4)
    for x, y in ((19, 46), (46, 48)):
        scene.ball(x, y, 12, scene.main("crimson"), gloss=1)
        scene.spot(x - 4, y - 4, 2, "white", 5)


@draws("banana")
def banana(scene: Scene) -> None:
    """Two bananas."""
    for shift, tone in ((9, -0.4), (0, 0)):
        with scene.group():
            scene.limb(
                ((15, 8), (13 + shift * 0.6, 22), (20 + shift, 38)), 2.6, 8, "yellow", tone=tone, gloss=0.3,
            )  # fmt: skip
            scene.limb(
                ((20 + shift, 38), (36 + shift * 0.5, 50 - shift * 0.6), (58, 49 - shift)), 8, 2.6,
                "yellow", tone=tone, gloss=0.3,
            )  # fmt: skip
        scene.dot(59, 49 - shift, "darkwood", 1, w=3, h=4)
    scene.box(11, 2, 8, 7, "olive", 2)


@draws("bread loaf baguette croissant bun cake pie cupcake muffin donut doughnut cookie pizza pancake waffle")
def bakery(scene: Scene) -> None:
    """What comes out of an oven."""
    says = scene.says
    chance = scene.chance
    if says("donut", "doughnut"):
        scene.ellipse(32, 36, 27, 23, "amber")
        icing = scene.main("pink", "brown", "mint")
        scene.ellipse(32, 33, 25, 20, icing, gloss=0.6)
        scene.ellipse(32, 33, 9, 6, "darkwood", tone=-1)
        for _ in range(16):
            x, y = chance.between(10, 54), chance.between(17, 49)
            if 0.2 < ((x - 32) / 25) ** 2 + ((y - 33) / 20) ** 2 < 0.85:
                scene.dot(x, y, chance.pick(("cyan", "yellow", "white", "red")), 4, w=3, h=1.6)
    elif says("cookie"):
        cookie = scene.ball(32, 33, 25, "tan")
        for x, y in ((22, 22), (38, 19), (46, 33), (29, 36), (18, 39), (37, 48), (26, 51)):
            scene.ball(x, y, 3.6, "darkwood", clip=cookie)
    elif says("pizza"):
        scene.poly(((4, 14), (32, 6), (60, 14), (34, 61)), "yellow", 3)
        scene.limb(((6, 14), (32, 8), (58, 14)), 5, 5, "amber")
        for x, y in ((22, 23), (40, 24), (32, 37)):
            scene.ball(x, y, 5.4, "crimson")
        for x, y in ((31, 22), (26, 33), (38, 36), (33, 49)):
            scene.dot(x, y, "leaf", 3, w=3, h=2)
    elif says("cake", "cupcake", "muffin"):
        icing = scene.main("pink", "cream", "brown")
        scene.stand(32, 60, 24)
        if says("cupcake", "muffin"):
            scene.poly(((12, 34), (52, 34), (46, 60), (18, 60)), "rust", 4)
            for x in (20, 27, 34, 41):
                scene.stroke(((x, 38), (x + (32 - x) * 0.2, 59)), "rust", 1)
            for y, rx in ((34, 24), (24, 18), (15, 11)):
                scene.ellipse(32, y, rx, 8, icing, gloss=0.5)
        else:
            scene.post(8, 28, 48, 29, "cream")
            scene.ellipse(32, 57, 24, 4, "cream", soft=True)
            scene.limb(((8, 43), (56, 43)), 2, 2, "rose")
            scene.ellipse(32, 27, 25, 9, icing, gloss=0.4)
            for x, y in ((13, 34), (22, 38), (32, 36), (42, 39), (51, 34)):
                scene.limb(((x, 30), (x, y)), 3.4, 2.6, icing, soft=True)
        scene.ball(32, 12 if not says("cake") else 19, 6, "red", gloss=1)
    elif says("pie"):
        scene.poly(((4, 36), (60, 36), (50, 56), (14, 56)), "steel", 3, gloss=0.6)
        scene.ellipse(32, 34, 29, 13, "amber")
        for x in (18, 32, 46):
            scene.stroke(((x - 5, 28), (x + 3, 39)), "rust", 2, 2)
    elif says("pancake", "waffle"):
        scene.ellipse(32, 55, 28, 6, "white")
        for y in (50, 43, 36, 29):
            scene.ellipse(32, y, 22, 7, "tan")
        scene.ellipse(32, 27, 16, 4.6, "amber", gloss=1)
        scene.box(25, 19, 13, 8, "yellow", 2.5)
    else:
        with scene.at(32, 34, turn=-18):
            with scene.group() as loaf:
                scene.ellipse(32, 34, 29, 16, "tan", gloss=0.3)
            for x in (16, 27, 38, 49):
                scene.oval(x, 28, 2.6, 7.4, 28, "cream", clip=loaf)


@draws("cheese")
def cheese(scene: Scene) -> None:
    """A wedge with holes."""
    scene.poly(((4, 30), (46, 10), (60, 28), (60, 34)), blend("yellow", "cream", 0.5), 2)
    side = scene.poly(((4, 31), (60, 31), (60, 55), (4, 55)), scene.main("yellow"), 3)
    for x, y, r in ((15, 41, 5), (31, 47, 6), (47, 39, 5), (55, 51, 4), (24, 34, 3)):
        scene.ball(x, y, r, "amber", clip=side, tone=-0.8)


@draws("meat steak ham drumstick chicken-leg bacon sausage turkey roast")
def meat(scene: Scene) -> None:
    """Meat on the bone."""
    with scene.at(32, 32, turn=40):
        scene.limb(((32, 30), (32, 62)), 3.6, 3, "bone")
        scene.ball(28, 63, 4.4, "bone", mirror=True)
        scene.ellipse(32, 22, 17, 23, scene.main("rust", "brown"), gloss=0.6)
        scene.ellipse(30, 14, 9, 9, "coral", soft=True, tone=-0.3)
        scene.ball(30, 14, 3.6, "bone", soft=True)


@draws("carrot radish turnip beet corn eggplant chili pepper")
def root(scene: Scene) -> None:
    """A root with its leaves."""
    colour = scene.main(
        {"carrot": "orange", "corn": "yellow", "eggplant": "purple", "chili": "red",
        "pepper": "red"}.get(scene.brief.noun, "rose"),
    )  # fmt: skip
    with scene.at(32, 32, turn=35):
        for x in (22, 32, 42):
            scene.limb(((32, 18), ((x + 32) / 2, 6), (x, -6)), 2.6, 3.4, "leaf")
        scene.poly(
            ((20, 18), (26, 13), (38, 13), (44, 18), (42, 30), (32, 66), (22, 30)), colour, 8, gloss=0.5,
        )  # fmt: skip
        for y, x in ((24, 24), (32, 38), (40, 28), (47, 34)):
            scene.stroke(((x - 3, y), (x + 3, y + 1)), colour, 1)


@draws("egg")
def egg(scene: Scene) -> None:
    """An egg: of a dragon it has scales and a glow."""
    colour = scene.main("cream", "mint", "coral", "violet")
    scene.stand(32, 59, 17)
    with scene.group() as body:
        scene.ellipse(32, 38, 20, 21, colour, gloss=0.7)
        scene.ellipse(32, 28, 15.5, 22, colour, gloss=0.7)
    second = scene.accent(blend(colour, "ink", 0.3), blend(colour, "gold", 0.5))
    for x, y, r in ((22, 30, 4), (38, 22, 3.6), (42, 40, 5), (28, 46, 4.4), (32, 12, 3), (18, 44, 3)):
        scene.ball(x, y, r, second, clip=body)
    if scene.says("dragon", "phoenix", "magic"):
        scene.glow(32, 34, 32, colour)
        scene.glint(46, 16, 3)
    if scene.says("cracked", "hatching"):
        scene.stroke(((14, 36), (21, 30), (27, 37), (34, 29), (40, 36), (50, 30)), "ink", 0, 1.6)


@draws("burger hamburger cheeseburger sandwich taco")
def burger(scene: Scene) -> None:
    """Between two buns."""
    scene.stand(32, 59, 25)
    scene.box(8, 48, 48, 10, "tan", 4)
    scene.box(6, 41, 52, 8, "darkwood", 3)
    scene.poly(((7, 38), (57, 38), (52, 46), (45, 41), (38, 47), (30, 41), (22, 46), (14, 41)), "yellow", 1.5)
    scene.limb(((8, 36), (20, 38), (32, 35), (44, 38), (56, 36)), 3.4, 3.4, "lime")
    scene.box(9, 30, 46, 5, "red", 2)
    scene.poly(((6, 31), (8, 18), (18, 9), (46, 9), (56, 18), (58, 31)), "amber", 9)
    for x, y in ((20, 16), (31, 13), (43, 16), (26, 22), (38, 22)):
        scene.dot(x, y, "cream", 4, w=3, h=2)


@draws(
    "mug tankard cup coffee tea beer ale goblet chalice grail teapot soup stew bowl cauldron icecream popsicle sushi"
)
def drink(scene: Scene) -> None:
    """A vessel and what is in it."""
    says = scene.says
    scene.stand(32, 60, 18)
    if says("cauldron"):
        brew = scene.main("lime", "violet")
        for x in (16, 48):
            scene.limb(((x, 50), (x + (x - 32) * 0.2, 60)), 3, 2.4, "ink")
        scene.ellipse(32, 40, 25, 19, "ink", gloss=0.8)
        scene.ellipse(32, 25, 24, 7, "night", gloss=0.7)
        scene.ellipse(32, 25, 19.5, 4.8, brew, tone=0.6)
        for x, y, r in ((24, 22, 4), (36, 20, 5), (43, 24, 3), (31, 11, 2.6), (41, 7, 2)):
            scene.ball(x, y, r, brew, gloss=1)
        scene.glow(32, 18, 30, brew)
    elif says("goblet", "chalice", "grail"):
        metal = scene.main("gold", "silver")
        scene.ellipse(32, 57, 15, 4, metal, gloss=0.8)
        scene.post(29, 38, 6, 18, metal, gloss=1)
        scene.ball(32, 43, 4.4, metal, gloss=0.9)
        scene.poly(((13, 9), (51, 9), (47, 28), (38, 38), (26, 38), (17, 28)), metal, -1, gloss=1)
        scene.ellipse(32, 10, 19.4, 5, metal, gloss=0.5)
        scene.ellipse(32, 10.4, 16, 3.2, "crimson", soft=True)
        for x in (22, 32, 42):
            scene.ball(x, 23, 3, "ruby" if x == 32 else "sapphire", gloss=1)
        scene.glow(32, 18, 30, "holy")
    elif says("soup", "stew", "bowl", "sushi"):
        scene.poly(((4, 30), (60, 30), (54, 48), (44, 57), (20, 57), (10, 48)), "wood", 7)
        scene.ellipse(32, 30, 28, 9, "wood")
        scene.ellipse(32, 30.5, 23, 6.5, scene.main("rust", "amber"), soft=True)
        for x, y, one in ((22, 29, "orange"), (33, 32, "leaf"), (42, 29, "cream"), (28, 33, "leaf")):
            scene.ball(x, y, 3, one)
        _steam(scene)
    else:
        cold = says("beer", "ale", "tankard")
        colour = scene.main("wood" if cold else "white")
        scene.limb(((46, 26), (58, 27), (58, 43), (45, 48)), 3.2, 3.2, colour)
        scene.post(12, 20, 36, 39, colour, gloss=0.3)
        if cold:
            for x in (20, 27, 34, 41):
                scene.stroke(((x, 20), (x, 58)), colour, 1)
            for y in (28, 50):
                scene.box(11, y, 38, 4, "iron", 1.2, gloss=0.6)
            with scene.group():
                for x, y, r in ((15, 18, 6), (24, 14, 8), (35, 14, 8), (45, 18, 6)):
                    scene.ball(x, y, r, "white")
        else:
            scene.ellipse(30, 20, 18, 5, colour)
            scene.ellipse(30, 20.4, 14.6, 3.4, "brown", soft=True)
            _steam(scene)


def _steam(scene: Scene) -> None:
    for x in (22, 32, 42):
        scene.stroke(((x, 16), (x + 2, 12), (x - 1, 8), (x + 1, 3)), "white", 4, 1.6)
