"""Heads of figures: faces, hair and hats, around a head centred on (32, 24)."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import faces, hats

if TYPE_CHECKING:
    from stanchion.demo.sprites.archetypes.looks import Look
    from stanchion.demo.sprites.scene import Scene

HAIRS = ("brown", "ink", "amber", "rust", "cream", "orange")


def head(scene: Scene, look: Look) -> None:
    """Draw a head with its face, and what is on it."""
    skin, chance = look.skin, scene.chance
    hair = scene.brief.near(
        "hair", scene.brief.near("beard", look.beard or chance.pick(("ink", "darkwood") if skin in {"tan",
        "umber"} else HAIRS)),
    )  # fmt: skip
    style = look.hair if look.hair != "any" else chance.pick(("short", "fringe", "curly", "slick"))
    if style == "long":
        scene.limb(((22, 18), (18.5, 28), (18, 39)), 5.5, 3.6, hair, mirror=True)
    if look.hat == "hood":
        scene.ellipse(32, 23, 15.5, 15, look.cloth)
        scene.poly(((32, 3), (38, 11), (26, 11)), look.cloth, 0, tone=0.6, soft=True)
    if look.ears == "point":
        scene.poly(((23, 20), (12, 15), (20, 28)), skin, 2, mirror=True)
    elif look.ears == "wide":
        scene.poly(((23, 18), (5, 14), (11, 24), (22, 28)), skin, 2.5, mirror=True)
    elif not look.hat and look.face not in {"skull", "alien"}:
        scene.ball(20.5, 25, 2.8, skin, mirror=True)
    if look.face == "alien":
        scene.poly(((32, 37), (20, 26), (19, 15), (26, 9), (38, 9), (45, 15), (44, 26)), skin, 9)
    elif look.face == "skull":
        scene.box(26, 28, 12, 9, skin, 3)
        scene.ellipse(32, 22, 12, 10.5, skin)
    else:
        scene.ellipse(32, 24, 12, 11.5, skin)
    if look.hat == "hood" and look.face in {"glow", "skull"}:
        scene.ellipse(
            32, 25, 10.6, 10.4, "ink" if look.face == "glow" else skin,
            tone=-1.5 if look.face == "glow" else 0,
        )  # fmt: skip
    _hair(scene, style, hair)
    if look.beard:
        _beard(scene, hair if scene.says("hair", "beard") else look.beard)
    faces.FACES.get(look.face, faces.plain)(scene, look)
    if look.hat in hats.HATS:
        hats.HATS[look.hat](scene, look)


def _hair(scene: Scene, style: str, hair: str) -> None:
    if style == "topknot":
        scene.limb(((32, 13), (32, 7), (37, 3)), 3, 1.6, "ink")
    elif style == "wild":
        for x, y in ((19, 17), (22, 10), (28, 7), (36, 7), (42, 10), (45, 17)):
            scene.poly(((32, 22), (x - 4, y + 2), (x, y - 4), (x + 4, y + 2)), hair, 1.5)
    elif style == "curly":
        with scene.group():
            for x, y in ((21, 19), (24, 14), (30, 12), (36, 12), (41, 15), (43, 20)):
                scene.ball(x, y, 4.6, hair)
    elif style in {"short", "fringe", "slick", "long"}:
        low = {"short": 19, "fringe": 21, "slick": 16, "long": 18}[style]
        with scene.group():
            scene.poly(
                ((19.5, 25), (20, 15), (27, 10.5), (37, 10.5), (44, 15), (44.5, 25), (41, 18),
                (34, low - 2), (26, low), (22, 19)), hair, 3.5,
            )  # fmt: skip


def _beard(scene: Scene, colour: str) -> None:
    scene.poly(
        ((20.5, 25), (25, 29.5), (32, 28), (39, 29.5), (43.5, 25), (42, 36), (32, 46), (22, 36)), colour, 4,
    )  # fmt: skip
    scene.stroke(((29, 33), (35, 33)), "ink", 1)
