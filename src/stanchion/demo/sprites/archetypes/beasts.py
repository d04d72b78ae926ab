"""Animals on four legs, birds, and dragons."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: C901, PLR0912, PLR0913, PLR0917, PLR2004

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What sets one animal apart: it stands in profile, its head to the viewer's left."""

    coat: tuple[str, ...]
    ears: str = "point"
    """point, round, long, flop or none."""
    tail: str = "thin"
    """thin, bush, curl, stub, tuft or big."""
    snout: float = 6
    legs: float = 14
    body: float = 1.0
    mark: str = ""
    """belly, stripes, spots, mask, patch, mane or wool."""
    horn: str = ""
    """horns, antlers, tusk, one or nose."""
    neck: float = 0
    tongue: str = "ink"


BUILDS: dict[str, Build] = {
    "wolf": Build(coat=("grey", "iron", "white"), tail="bush", mark="belly", snout=8),
    "dog": Build(coat=("amber", "brown", "cream"), ears="flop", tail="curl", mark="patch", snout=7),
    "fox": Build(coat=("orange",), tail="big", mark="belly", snout=7, legs=11),
    "cat": Build(coat=("orange", "grey", "ink", "cream"), tail="curl", snout=2.5, mark="stripes", legs=11),
    "lion": Build(coat=("amber",), ears="round", tail="tuft", mark="mane", snout=6),
    "tiger": Build(coat=("orange",), ears="round", tail="curl", mark="stripes", snout=5, body=1.1),
    "panther": Build(coat=("ink",), ears="round", tail="curl", snout=5),
    "bear": Build(coat=("brown", "darkwood"), ears="round", tail="stub", mark="belly", body=1.25, legs=12),
    "panda": Build(coat=("white",), ears="round", tail="stub", mark="mask", body=1.2, legs=10, snout=3.5),
    "boar": Build(coat=("brown",), tail="stub", horn="tusk", body=1.15, legs=9, snout=9, mark="mane"),
    "pig": Build(coat=("pink",), ears="flop", tail="curl", body=1.15, legs=8, snout=6),
    "cow": Build(coat=("white", "cream"), ears="flop", tail="tuft", mark="spots", horn="horns", body=1.15,
        snout=8),
    "bull": Build(coat=("darkwood", "rust"), ears="flop", tail="tuft", horn="horns", body=1.25, snout=8),
    "sheep": Build(coat=("cream",), ears="flop", tail="stub", mark="wool", legs=10),
    "ram": Build(coat=("cream",), ears="flop", tail="stub", mark="wool", horn="horns", legs=10),
    "goat": Build(coat=("white", "grey"), ears="flop", tail="stub", horn="horns", legs=13),
    "horse": Build(coat=("rust", "brown", "tan"), tail="bush", mark="mane", neck=9, legs=17, snout=10),
    "unicorn": Build(coat=("white",), tail="bush", mark="mane", neck=9, legs=17, snout=10, horn="one"),
    "deer": Build(coat=("tan", "brown"), tail="stub", horn="antlers", mark="spots", neck=7, legs=17, snout=7),
    "stag": Build(coat=("brown",), tail="stub", horn="antlers", mark="belly", neck=8, legs=17, snout=7),
    "rabbit": Build(coat=("white", "tan", "grey"), ears="long", tail="stub", snout=3, legs=7, body=0.95),
    "mouse": Build(coat=("grey",), ears="big", tail="thin", snout=6, legs=6, body=0.9),
    "rat": Build(coat=("night", "brown"), ears="big", tail="thin", snout=8, legs=7),
    "elephant": Build(coat=("stone",), ears="huge", tail="thin", horn="trunk", body=1.35, legs=13, snout=3),
    "rhino": Build(coat=("stone",), ears="round", tail="thin", horn="nose", body=1.3, legs=10, snout=9),
    "squirrel": Build(coat=("rust",), tail="big", snout=3, legs=7, mark="belly", body=0.9),
    "raccoon": Build(coat=("grey",), tail="big", mark="mask", snout=5, legs=9),
    "hedgehog": Build(coat=("tan",), ears="round", tail="stub", mark="quills", legs=6, snout=7),
    "camel": Build(coat=("sand",), tail="tuft", neck=8, legs=17, snout=8, mark="hump"),
    "lizard": Build(coat=("green", "lime"), ears="none", tail="big", legs=7, snout=9, body=0.85,
        mark="belly"),
    "crocodile": Build(coat=("olive",), ears="none", tail="big", legs=6, snout=17, body=0.95, mark="quills"),
    "turtle": Build(coat=("green", "olive"), ears="none", tail="stub", legs=7, snout=4, mark="shell"),
    "dinosaur": Build(coat=("green", "teal"), ears="none", tail="big", legs=13, snout=10, body=1.15,
        neck=6, mark="quills"),
}  # fmt: skip
ALIASES = {
    "direwolf": "wolf", "hound": "dog", "puppy": "dog", "kitten": "cat", "bunny": "rabbit", "hare": "rabbit",
    "pony": "horse", "warhorse": "horse", "ox": "bull", "tortoise": "turtle", "salamander": "lizard",
    "gecko": "lizard",
    "kitsune": "fox", "lamb": "sheep", "corgi": "dog", "raptor": "dinosaur", "hellhound": "dog",
    "hamster": "mouse",
    "alligator": "crocodile", "mammoth": "elephant", "leopard": "tiger", "piglet": "pig",
    "reindeer": "stag", "elk": "stag",
}  # fmt: skip


def beast(scene: Scene) -> None:
    """Draw an animal in profile."""
    build = BUILDS[ALIASES.get(scene.brief.noun, scene.brief.noun)]
    coat = scene.main(*build.coat)
    far, pale = blend(coat, "ink", 0.3), blend(coat, "cream", 0.6)
    swell, feet = build.body * scene.chance.between(0.95, 1.05), 58.0
    back = feet - build.legs - 9 * swell
    scene.stand(33, 59, 24)
    with scene.at(32, 60, scale=0.84 if build.neck else 0.97, pivot=(32, 60)):
        _tail(scene, build, coat, back)
        for x in (27.0, 48.0):
            scene.limb(((x, back + 4), (x + 1, feet)), 3.6 * swell, 2.6 * swell, far)
        with scene.group():
            scene.ellipse(36, back, 16.5, 9.6 * swell, coat)
            scene.ball(26, back, 9.2 * swell, coat)
        _coat(scene, build, (coat, pale), back, swell)
        near = "ink" if build.mark == "mask" and coat == "white" else coat
        for x in (23.0, 44.0):
            scene.limb(((x, back + 4), (x - 0.5, feet - 1)), 3.9 * swell, 2.9 * swell, near)
            scene.ellipse(x - 1.5, feet - 0.4, 3.8, 2.4, pale if build.mark in {"belly", "mask"} else far)
        x, y = 17.0, back - 9 - build.neck
        if build.neck:
            scene.limb(((26, back - 2), (x + 2, y + 2)), 7.5, 5.6, coat)
        _head(scene, build, (coat, pale, far), x, y)


def _tail(scene: Scene, build: Build, coat: str, back: float) -> None:
    pale = blend(coat, "cream", 0.7)
    match build.tail:
        case "thin":
            scene.limb(((49, back), (57, back + 2), (61, back - 6)), 1.6, 1, blend(coat, "pink", 0.4))
        case "bush":
            hair = scene.brief.near(
                "mane", coat if build.mark != "mane" else scene.accent("ink", "cream", "violet"),
            )  # fmt: skip
            scene.limb(((49, back - 3), (57, back), (60, back + 13)), 3.6, 2.6, hair)
        case "curl":
            scene.limb(((50, back), (58, back - 3), (60, back - 12), (55, back - 16)), 2.4, 1.8, coat)
        case "tuft":
            scene.limb(((50, back - 2), (58, back + 2), (59, back + 13)), 1.5, 1.2, coat)
            scene.ellipse(59, back + 15, 2.6, 4, "darkwood")
        case "big":
            long = build.mark in {"quills", "belly"} and build.ears == "none"
            if long:
                scene.limb(((47, back), (56, back + 6), (62, back + 3)), 6.5, 1.2, coat)
            else:
                scene.limb(((48, back + 1), (56, back - 4), (57, back - 15)), 3.4, 7, coat)
                scene.ball(57, back - 19, 4.6, pale if build.mark != "mask" else "ink", soft=True)
                if build.mark == "mask":
                    for y in (back - 11, back - 4):
                        scene.stroke(((52, y), (61, y - 2)), "ink", 1, 2)
        case _:
            scene.ball(52, back - 2, 3.4, blend(coat, "white", 0.4))


def _coat(scene: Scene, build: Build, colours: tuple[str, str], back: float, swell: float) -> None:
    coat, pale = colours
    chance = scene.chance
    match build.mark:
        case "belly":
            scene.ellipse(34, back + 7 * swell, 13, 3.6, pale, soft=True)
        case "stripes":
            for x in range(28, 52, 6):
                scene.stroke(((x, back - 9 * swell), (x + 2, back - 2)), blend(coat, "ink", 0.75), 2, 1.8)
        case "spots":
            patch = "ink" if build.legs == 14 else "cream"
            for _ in range(5):
                scene.spot(
                    chance.between(26, 48), back + chance.between(-6, 4),
                    3.6 if patch == "ink" else 1.3, patch, 2 if patch == "ink" else 4,
                )  # fmt: skip
        case "patch" | "mask":
            scene.spot(40, back - 4, 5, blend(coat, "ink" if build.mark == "mask" else "white", 0.7), 3)
        case "wool":
            with scene.group():
                for x, y in (
                    (24, -4), (32, -8), (41, -7), (49, -2), (50, 4), (42, 6), (33, 7), (24, 4), (36, 0),
                ):  # fmt: skip
                    scene.ball(x, back + y, 6.8, "white" if coat == "cream" else coat)
        case "quills":
            for x in range(24, 54, 5):
                scene.poly(
                    ((x, back - 6 * swell), (x + 5, back - 15 * swell), (x + 7, back - 5 * swell)),
                    blend(coat, "darkwood", 0.6), 1,
                )  # fmt: skip
        case "shell":
            shell = scene.accent("rust", "emerald", "brown")
            top = scene.ellipse(37, back - 3, 18, 14, shell, gloss=0.5)
            scene.poly(((18, back + 3), (57, back + 3), (58, back + 7), (17, back + 7)), pale, 2)
            for x in (29, 37, 45):
                scene.poly(
                    ((x - 4, back - 6), (x, back - 10), (x + 4, back - 6), (x + 3, back), (x - 3, back)),
                    blend(shell, "cream", 0.3), 2, clip=top,
                )  # fmt: skip
        case "hump":
            scene.ellipse(37, back - 8, 8, 9, coat, soft=True)
        case _:
            pass


def _head(scene: Scene, build: Build, colours: tuple[str, str, str], x: float, y: float) -> None:
    coat, pale, far = colours
    if build.mark == "mane":
        mane = scene.brief.near(
            "mane", scene.accent("rust", "darkwood") if build.neck == 0 else scene.accent("ink", "violet",
            "pink", "cream"),
        )  # fmt: skip
        if build.neck:
            scene.limb(((x + 3, y - 8), (x + 9, y), (x + 12, y + 13)), 4, 3.4, mane)
        else:
            scene.ball(x + 3, y + 2, 14, mane, tone=-0.3)
    _ears(scene, build, coat, far, x, y)
    scene.ball(x, y, 9.4, coat)
    if build.horn == "trunk":
        scene.limb(((x - 5, y + 2), (x - 10, y + 10), (x - 9, y + 20), (x - 13, y + 24)), 4.4, 2.2, coat)
        scene.limb(((x - 4, y + 7), (x - 11, y + 12)), 1.8, 1, "bone")
    else:
        muzzle = pale if build.mark in {"belly", "patch", "mask"} else coat
        if build.snout > 3.5:
            scene.limb(
                ((x - 3, y + 3), (x - 5 - build.snout * 0.75, y + 4.5)), 5.2, 3.8, muzzle,
                soft=muzzle == coat,
            )  # fmt: skip
        else:
            scene.ellipse(x - 5, y + 4, 5, 3.6, pale, soft=True)
        nose = x - 7.6 - build.snout if build.snout > 3.5 else x - 9
        scene.dot(nose, y + 3, "ink" if coat != "pink" else "coral", 1, w=3, h=2.6)
        scene.stroke(((nose + 2, y + 7), (x - 3, y + 7.5)), coat, 0)
    if build.mark == "mask":
        scene.spot(x - 3, y - 1, 4.2, "ink", 1)
    _horns(scene, build, x, y)
    scene.eye(
        x - 3, y - 1.5, 2.7, scene.brief.near("eye", "red" if scene.says("hellhound", "shadow",
        "demon") else "ink"),
    )  # fmt: skip


def _ears(scene: Scene, build: Build, coat: str, far: str, x: float, y: float) -> None:
    match build.ears:
        case "point":
            for dx, colour in ((5, far), (-2, coat)):
                scene.poly(((x + dx - 2, y - 6), (x + dx + 2, y - 16), (x + dx + 6, y - 5)), colour, 1.5)
        case "round":
            scene.ball(x - 4, y - 8, 3.8, far)
            scene.ball(x + 6, y - 8, 4.2, coat if build.mark != "mask" else "ink")
        case "long":
            scene.oval(x - 1, y - 15, 3, 10, -8, far)
            scene.oval(x + 6, y - 14, 3.4, 10, 16, coat)
        case "big":
            scene.ball(x - 2, y - 10, 5, far)
            scene.ball(x + 7, y - 9, 6.4, blend(coat, "pink", 0.4))
        case "huge":
            scene.ellipse(x + 12, y + 3, 9, 12, far)
        case "flop":
            scene.limb(((x + 4, y - 7), (x + 11, y - 4), (x + 11, y + 4)), 3, 3.4, far)
        case _:
            pass


def _horns(scene: Scene, build: Build, x: float, y: float) -> None:
    match build.horn:
        case "horns":
            scene.limb(((x + 3, y - 8), (x + 9, y - 13), (x + 5, y - 18)), 2.8, 0.8, "bone")
            scene.limb(((x - 3, y - 8), (x - 8, y - 13), (x - 6, y - 18)), 2.6, 0.8, "bone")
        case "antlers":
            for side in (-1, 1):
                scene.limb(
                    ((x + 1 + side * 2, y - 8), (x + 1 + side * 7, y - 15), (x + 1 + side * 6, y - 22)),
                    1.6, 0.9, "bone",
                )  # fmt: skip
                scene.limb(((x + 1 + side * 6, y - 14), (x + 1 + side * 12, y - 18)), 1.2, 0.8, "bone")
        case "one":
            scene.poly(((x - 4, y - 7), (x - 8, y - 21), (x + 1, y - 8)), "gold", 1.5, gloss=0.8)
        case "tusk":
            scene.limb(((x - 9, y + 7), (x - 12, y + 1)), 1.5, 0.8, "bone")
        case "nose":
            scene.poly(((x - 12, y + 1), (x - 15, y - 12), (x - 7, y)), "bone", 1.5)
        case _:
            pass


draws(" ".join((*BUILDS, *ALIASES)))(beast)
