"""Places to visit: temples, ruins, portals, wells, bridges, caves."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR0915

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene
from stanchion.demo.sprites.archetypes.buildings import door, masonry, shingles


@draws(
    "temple shrine pyramid ruins ruin arch gate mausoleum tomb library museum pagoda torii well "
    "fountain bridge cave portal gateway"
)
def monument(scene: Scene) -> None:
    """Columns, steps and arches."""
    says = scene.says
    stone = scene.main("stone", "sand", "white")
    scene.stand(32, 60, 29)
    if says("portal", "gateway"):
        light = next(
            (one for one in (*scene.brief.colours, *scene.brief.others) if one not in {"stone", "rock"}),
            "violet",
        )
        scene.ellipse(32, 34, 24, 29, "stone", tex=masonry(scene, 6, 5))
        scene.ellipse(32, 35, 17.5, 23, blend(light, "ink", 0.4), soft=True)
        for scale, tone in ((0.82, 0), (0.58, 0.9), (0.3, 1.8)):
            scene.oval(32, 35, 17.5 * scale, 23 * scale, 12 * scale, light, tone=tone, soft=True)
        scene.box(4, 56, 56, 6, "rock", 2)
        for x, y in ((32, 6), (9, 34), (55, 34)):
            scene.spot(x, y, 1.8, light, 4)
        scene.glow(32, 34, 38, light)
    elif says("pyramid"):
        sand = scene.main("sand")
        scene.poly(((32, 8), (38, 60), (2, 60)), sand, 0, tone=0.6, tex=masonry(scene, 9, 5), soft=True)
        scene.poly(((32, 8), (62, 60), (38, 60)), sand, 0, tone=-1.0, tex=masonry(scene, 9, 5), soft=True)
        scene.poly(((18, 60), (18, 50), (26, 50), (26, 60)), "ink", 0, soft=True)
    elif says("well"):
        for x in (12, 48):
            scene.box(x, 16, 4, 28, "wood", 1.2)
        scene.limb(((14, 26), (50, 26)), 1.6, 1.6, "darkwood")
        scene.box(27, 27, 9, 9, "wood", 2)
        scene.poly(((4, 20), (32, 3), (60, 20)), scene.accent("brick", "pine"), 3, tex=shingles(scene))
        scene.post(9, 42, 46, 18, "stone", tex=masonry(scene, 8, 5))
        scene.ellipse(32, 42, 23, 5.4, "stone")
        scene.ellipse(32, 42.4, 18, 3.4, "water", soft=True, tone=-0.6)
    elif says("fountain"):
        for x in (-1, 1):
            scene.limb(((32, 10), (32 + x * 10, 6), (32 + x * 16, 26)), 1.8, 1.4, "sky")
        scene.post(28, 16, 8, 34, stone)
        scene.ellipse(32, 28, 17, 5, stone)
        scene.ellipse(32, 27.4, 13, 3, "water", soft=True)
        scene.post(6, 46, 52, 13, stone, tex=masonry(scene))
        scene.ellipse(32, 46, 26, 6.5, stone)
        scene.ellipse(32, 46, 21.5, 4.2, "water", soft=True)
    elif says("bridge"):
        scene.poly(
            ((0, 50), (0, 34), (16, 26), (32, 23), (48, 26), (64, 34), (64, 50), (50, 50), (44, 40), (32,
            36), (20, 40), (14, 50)), stone, 2.5, tex=masonry(scene),
        )  # fmt: skip
        scene.limb(((1, 29), (16, 21), (32, 18), (48, 21), (63, 29)), 2, 2, blend(stone, "white", 0.3))
        scene.box(0, 50, 64, 9, "water", 2)
    elif says("cave"):
        scene.poly(((2, 60), (6, 34), (18, 16), (34, 8), (50, 18), (60, 38), (62, 60)), "rock", 10)
        scene.poly(((16, 60), (18, 42), (28, 31), (40, 33), (47, 44), (48, 60)), "ink", 0, soft=True)
        for x, y in ((24, 36), (32, 33), (40, 36)):
            scene.poly(((x - 3, y - 3), (x + 3, y - 3), (x, y + 6)), "rock", 1, soft=True)
        for x in (29, 36):
            scene.dot(x, 48, "spark", 4, w=2.4, h=2.4)
    elif says("pagoda", "torii"):
        red = scene.main("crimson", "red")
        if says("torii"):
            for x in (13, 45):
                scene.post(x, 18, 6, 42, red)
            scene.box(8, 26, 48, 5, red, 1.5)
            scene.poly(((0, 8), (14, 12), (50, 12), (64, 8), (60, 20), (4, 20)), red, 2.5)
            scene.poly(((0, 5), (14, 9), (50, 9), (64, 5), (63, 9), (48, 13), (16, 13), (1, 9)), "ink", 1)
        else:
            for y, half in ((44, 22), (28, 17), (13, 12)):
                scene.box(32 - half + 6, y, 2 * half - 12, 16, "cream", 2)
                scene.poly(
                    ((32 - half - 6, y + 4), (32 - half + 4, y - 1), (32, y - 8), (32 + half - 4, y - 1),
                    (32 + half + 6, y + 4)), red, 2.5,
                )  # fmt: skip
            door(scene, 32, 60, w=8, h=10)
    else:
        broken = says("ruins", "ruin", "ruined", "broken")
        for i, y in enumerate((56, 51)):
            scene.box(3 + i * 3, y, 58 - i * 6, 5.5, stone, 1.6)
        scene.box(12, 26, 40, 25, "night", 0)
        for i, x in enumerate((9, 22, 35, 48)):
            top = 24 if not broken or i % 2 == 0 else 36
            scene.post(x, top, 7, 51 - top, stone)
            scene.box(x - 1, top - 1, 9, 3, stone, 1)
        if not broken:
            scene.box(5, 19, 54, 6, stone, 2)
            scene.poly(((3, 20), (32, 5), (61, 20)), stone, 3)
            scene.ball(32, 15, 3, scene.accent("gold", "cyan"), gloss=0.8)
        else:
            scene.poly(((5, 24), (30, 18), (32, 24)), stone, 2)
            for x, y in ((20, 48), (46, 40), (52, 56)):
                scene.spot(x, y, 3, "leaf", 3)
