"""Creatures with wings: dragons and birds."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@draws("dragon wyvern drake hydra")
def dragon(scene: Scene) -> None:
    """A dragon sitting in profile, one wing raised; more heads for a hydra."""
    colour = scene.main("crimson", "emerald", "violet", "navy")
    wing, pale = blend(colour, scene.accent("amber", "ink", "orange"), 0.45), blend(colour, "cream", 0.7)
    baby = scene.says("baby", "tiny", "little", "hatchling")
    scene.stand(34, 59, 24)
    scene.limb(((44, 50), (56, 56), (60, 46), (57, 38)), 6, 1.4, colour)
    scene.poly(((57, 40), (53, 32), (62, 33)), wing, 1.5)
    if scene.brief.noun != "drake":
        scale = 0.62 if baby else 1
        with scene.at(38, 34, scale=scale, pivot=(38, 34)):
            scene.poly(
                ((36, 36), (38, 16), (50, 2), (63, 8), (60, 20), (62, 31), (54, 28), (50, 36), (44, 33)),
                wing, 2.5,
            )  # fmt: skip
            scene.limb(((37, 36), (39, 17), (50, 2)), 2, 1, colour)
            scene.stroke(((40, 17), (60, 20)), wing, 1, 1.2)
            scene.stroke(((39, 20), (53, 29)), wing, 1, 1.2)
    scene.limb(((30, 48), (30, 57)), 4, 3.6, blend(colour, "ink", 0.3))
    scene.ellipse(36, 45, 12.5, 13, colour)
    scene.ellipse(44, 51, 9, 8, colour)
    scene.ellipse(43, 57.6, 6.5, 2.6, colour)
    scene.limb(((28, 40), (26, 57)), 4.6, 3.6, colour)
    scene.ellipse(24.5, 57.6, 5, 2.6, colour)
    heads = ((13, 22), (22, 10), (9, 36)) if scene.brief.noun == "hydra" else ((17, 19),)
    for x, y in heads:
        _dragon_head(scene, (colour, pale, wing), x, y, 1.25 if baby else 1)
    for y in (40, 44, 48):
        scene.stroke(((27, y), (33, y + 1)), pale, 2, 1.6)


def _dragon_head(scene: Scene, colours: tuple[str, str, str], x: float, y: float, scale: float) -> None:
    colour, pale, wing = colours
    scene.limb(((34, 40), (30, 32), (x + 8, y + 9), (x + 3, y + 2)), 7.5, 5, colour)
    scene.limb(((30.5, 42), (26, 32), (x + 4, y + 9)), 3, 2, pale, soft=True)
    with scene.at(x, y, scale=scale, pivot=(x, y)):
        scene.limb(((x + 4, y - 5), (x + 11, y - 9), (x + 15, y - 8)), 2.4, 0.8, "bone")
        scene.poly(((x + 5, y + 2), (x + 15, y + 2), (x + 6, y + 8)), wing, 1.5)
        scene.limb(((x, y + 5), (x - 8, y + 7)), 3.4, 2.2, pale)
        scene.ball(x + 1, y, 7.4, colour)
        scene.limb(((x - 2, y + 1), (x - 11, y + 2.5)), 5, 3.4, colour, soft=True)
        scene.eye(x - 2, y - 2.5, 2.5, "amber")
        scene.dot(x - 12, y + 0.5, "ink", 0, w=1.6, h=1.6)
        for dx in (-11, -7):
            scene.dot(x + dx, y + 5.5, "white", 4, w=1.5, h=2)
    if scene.says("breathing", "breath", "spitting"):
        flame, core = ("sky", "white") if scene.says("ice", "frost") else ("flame", "yellow")
        scene.poly(
            ((x - 10, y + 5), (x - 17, y + 14), (x - 13, y + 20), (x - 17, y + 30), (x - 8, y + 25),
            (x - 2, y + 33), (x - 1, y + 22), (x + 4, y + 17), (x - 5, y + 12)), flame, 4, tone=0.6,
        )  # fmt: skip
        scene.poly(
            ((x - 9, y + 8), (x - 12, y + 17), (x - 10, y + 24), (x - 4, y + 25), (x - 2, y + 17)), core, 3,
            tone=0.8, soft=True,
        )  # fmt: skip
        scene.glow(x - 7, y + 20, 20, flame)


@draws(
    "bird owl crow raven eagle hawk falcon parrot chicken rooster chick duck penguin phoenix robin griffin toucan hen"
)
def bird(scene: Scene) -> None:
    """A bird facing the viewer, wings at its sides."""
    noun, says = scene.brief.noun, scene.says
    usual = {
        "owl": "brown", "crow": "ink", "raven": "night", "eagle": "brown", "hawk": "rust", "falcon": "grey",
        "parrot": "green", "chicken": "white", "rooster": "rust", "hen": "cream", "chick": "yellow",
        "duck": "cream",
        "penguin": "navy", "phoenix": "flame", "robin": "brown", "griffin": "amber", "toucan": "ink",
    }.get(noun, "")  # fmt: skip
    colour = scene.main(usual) if usual else scene.main("sky", "coral", "amber", "emerald")
    belly = {"robin": "orange", "penguin": "white", "eagle": "brown", "crow": "ink"}.get(
        noun, blend(colour, "cream", 0.6)
    )
    wing = scene.accent("blue", "amber", "red") if noun == "parrot" else blend(colour, "ink", 0.28)
    scene.stand(32, 59, 16)
    if noun == "phoenix":
        for x, y in ((20, 62), (32, 64), (44, 62)):
            scene.limb(((32, 46), (x, y - 4)), 4, 1.6, "amber")
        scene.glow(32, 32, 34, "flame")
    if noun == "rooster":
        scene.limb(((42, 44), (55, 36), (56, 22)), 4.6, 1.6, "emerald")
    for x in (27, 37):
        scene.limb(((x, 52), (x, 57)), 1.6, 1.6, "orange")
        scene.limb(((x - 3, 58.4), (x + 3, 58.4)), 1.5, 1.5, "orange")
    scene.ellipse(32, 40, 15, 16, colour)
    scene.ellipse(32, 44, 9.5, 11, belly, soft=True)
    spread = says("flying", "spread", "soaring") or noun in {"phoenix", "eagle", "griffin"}
    if spread:
        scene.poly(
            ((22, 34), (10, 14), (2, 16), (1, 28), (4, 38), (9, 36), (12, 43), (17, 40), (22, 46)), wing, 3,
            mirror=True,
        )  # fmt: skip
    else:
        scene.oval(17.5, 41, 4.6, 12, 10, wing, mirror=True)
    if noun in {"owl", "eagle", "griffin", "phoenix"}:
        scene.poly(((22, 14), (17, 4), (28, 9)), colour, 1.5, mirror=True)
    if noun in {"chicken", "rooster", "hen"}:
        for x in (27, 32, 37):
            scene.ball(x, 8, 3.4, "red")
    head = "white" if noun == "eagle" else colour
    scene.ball(32, 20, 13 if noun in {"owl", "chick"} else 11.5, head)
    if noun == "owl":
        scene.ball(25.5, 20, 6.6, belly, mirror=True)
        scene.eyes(20, 6.2, 4.2, "amber")
    else:
        scene.eyes(18, 6, 2.8)
    beak = "amber" if noun not in {"crow", "raven"} else "iron"
    if noun in {"toucan", "duck"}:
        scene.ellipse(32, 25, 8 if noun == "toucan" else 7, 4, "orange", gloss=0.5)
        scene.stroke(((26, 25), (38, 25)), "orange", 1)
    else:
        scene.poly(((27.5, 22), (36.5, 22), (32, 30)), beak, 2, gloss=0.4)
    if noun in {"chicken", "rooster", "hen"}:
        scene.ellipse(32, 32, 2, 3, "red")
