"""Figures on two legs: a face, clothes of a trade, and what they carry."""

# A drawing is one list of shapes, a branch for each variety, and its numbers are places in the picture.
# ruff: noqa: PLR2004

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import arms, heads
from stanchion.demo.sprites.archetypes.looks import ALIASES, LOOKS, OWN_SKIN, TITLES, Look
from stanchion.demo.sprites.archetypes.registry import draws
from stanchion.demo.sprites.palette import blend

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene


def figure(scene: Scene) -> None:
    """Draw a person, or something like one."""
    noun = ALIASES.get(scene.brief.noun, scene.brief.noun)
    look = LOOKS[noun]
    chance, says = scene.chance, scene.says
    if noun not in TITLES:
        look = _titled(scene, look)
    skin = look.skin or chance.pick(("skin", "skin", "tan", "umber", "cream"))
    cloth = look.cloth or chance.pick(("blue", "crimson", "teal", "olive", "purple", "rust"))
    if noun in OWN_SKIN:
        skin = scene.main(skin)
        if noun in {"golem", "elemental"}:
            cloth = blend(skin, "ink", 0.35)
    else:
        cloth = scene.main(cloth)
    bulk = look.bulk * chance.between(0.96, 1.06) * (1.2 if says("giant", "huge", "fat", "burly") else 1)
    tall = look.tall * (0.8 if says("tiny", "little", "baby", "small", "young") else 1)
    weapon = next((word for word in scene.brief.words if word in arms.UPRIGHT), look.right)
    look = replace(
        look, skin=skin, cloth=cloth, bulk=min(bulk, 1.6), right=weapon, cape=look.cape or says("cape",
            "cloak"),
        shield=(look.shield and weapon not in {"bow", "crossbow", "staff"}) or says("shield"),
        wings=look.wings or ("feather" if says("winged", "wings") else ""),
        beard=look.beard or ("brown" if says("bearded", "beard") else ""),
        hat=_hat(scene, look.hat),
    )  # fmt: skip
    scene.stand(32, 59.5, 17 * min(look.bulk, 1.3))
    with scene.at(32, 60, scale=0.94, pivot=(32, 60)):
        _body(scene, look, 60 - 16 * tall - 16 + 2, tall)
    if noun == "elemental":
        scene.glow(32, 34, 32, skin)


def _titled(scene: Scene, look: Look) -> Look:
    """Return the look of a people in the dress of a trade that the prompt names: an orc warrior."""
    title = next((word for word in scene.brief.words if word in TITLES), None)
    if title is None:
        return look
    trade = LOOKS[ALIASES.get(title, title)]
    hat = "kettle" if trade.hat in {"helm", "winged"} else trade.hat
    keep = look.body in {"bones", "bare"} and trade.body == "tunic"
    return replace(
        look, body=look.body if keep else trade.body, cloth=trade.cloth or look.cloth, hat=hat or look.hat,
        right=trade.right or look.right, shield=trade.shield, cape=trade.cape,
    )  # fmt: skip


def _hat(scene: Scene, usual: str) -> str:
    named = {"crown": "crown", "hood": "hood", "hooded": "hood", "horned": "horned", "turban": "turban",
             "hat": "pointed", "helmet": "helm", "goggles": "goggles", "halo": "halo"}  # fmt: skip
    for word, hat in named.items():
        if scene.says(word) and not (word == "hat" and usual):
            return hat
    return usual


def _body(scene: Scene, look: Look, neck: float, tall: float) -> None:
    half = 8.6 * look.bulk
    hip = neck + 16 * tall
    left, right = 32 - half, 32 + half
    hand = (right + 5.5, hip - 0.5)
    if look.wings:
        _wings(scene, look, neck)
    if look.cape:
        cape = scene.brief.near("cape", scene.brief.near("cloak", scene.accent("crimson", "purple", "navy")))
        scene.poly(((left + 2, neck), (right - 2, neck), (right + 7, 58), (left - 7, 58)), cape, 4)
    if look.right and look.right != "bow":
        arms.held(scene, look.right, *hand, scale=0.72, turn=14)
    if look.right == "bow":
        with scene.at(hand[0] + 1, hand[1] - 4, scale=0.62, pivot=(42, 32)):
            arms.bow(scene, scene.brief.near("bow", "wood"))
    _legs(scene, look, hip, half)
    _torso(scene, look, (neck, hip, half))
    sleeve = {"bare": look.skin, "bones": "bone", "snow": "wood", "wraps": look.skin}.get(look.body, look.cloth)
    thick = {"bones": 1.5, "snow": 1.2, "bare": 3.9 * look.bulk**0.7}.get(look.body, 3.6 * look.bulk**0.6)
    scene.limb(
        ((left + 1, neck + 4), (left - 4, neck + 10), (left - 4.5, hip - 1)), thick, thick * 0.85, sleeve,
    )  # fmt: skip
    scene.limb(((right - 1, neck + 4), (right + 4, neck + 10), hand), thick, thick * 0.85, sleeve)
    glove = "iron" if look.body == "plate" and look.skin in {"skin", "tan", "umber", "cream"} else look.skin
    if look.body != "snow":
        scene.ball(left - 4.5, hip + 0.5, 2.2 + thick * 0.32, glove)
        scene.ball(hand[0], hand[1] + 0.5, 2.2 + thick * 0.32, glove)
    if look.body == "plate":
        scene.ellipse(left + 0.5, neck + 4, 5 * look.bulk, 4.4, look.cloth, gloss=0.6, mirror=True)
    if look.shield:
        _shield(scene, left - 5, hip - 2)
    with scene.at(32, neck + 3, scale=1.0 if look.bulk < 1.5 else 0.9, pivot=(32, 32)):
        heads.head(scene, look)


def _legs(scene: Scene, look: Look, hip: float, half: float) -> None:
    if look.body == "robe":
        points = (
            (32 - half + 1, hip - 4),
            (32 + half - 1, hip - 4),
            (32 + half + 5, 59),
            (32 - half - 5, 59),
        )
        robe = scene.poly(points, look.cloth, 4.5)
        trim = blend(look.cloth, "gold", 0.7)
        scene.box(32 - half - 6, 55.5, 2 * half + 12, 3.5, trim, 1.5, clip=robe)
        for x in (-half * 0.45, half * 0.5):
            scene.stroke(((32 + x * 0.7, hip + 2), (32 + x, 54)), look.cloth, 1)
        return
    if look.body == "snow":
        scene.ellipse(32, 50, 15, 11, "snow")
        return
    bare = look.body in {"bare", "bones", "wraps"}
    pants = look.skin if bare else blend(look.cloth, "ink", 0.55)
    thick = 1.8 if look.body == "bones" else 3.9 * look.bulk**0.8
    foot = "iron" if look.body == "plate" else look.skin if bare else "leather"
    x = 32 - half * 0.52
    scene.limb(((x, hip - 1), (x - 0.8, 56)), thick, thick * 0.9, pants, mirror=True)
    scene.ellipse(x - 1.6, 57.6, thick * 1.25, 2.9, foot, mirror=True)


def _torso(scene: Scene, look: Look, frame: tuple[float, float, float]) -> None:
    neck, hip, half = frame
    shape = (
        (32 - half, neck + 2),
        (32 + half, neck + 2),
        (32 + half * 0.82, hip + 2),
        (32 - half * 0.82, hip + 2),
    )
    match look.body:
        case "bones":
            scene.limb(((32, neck), (32, hip)), 1.6, 1.6, "bone")
            for y in range(int(neck) + 3, int(hip) - 2, 4):
                scene.limb(((25, y + 2), (28, y), (36, y), (39, y + 2)), 1.3, 1.3, "bone")
            scene.ellipse(32, hip, 6, 2.6, "bone")
            return
        case "snow":
            scene.ellipse(32, neck + 7, 11, 9, "snow")
            for y in (neck + 5, neck + 10, hip + 8):
                scene.spot(32, y, 1.3, "ink", 1)
            scene.limb(
                ((23, neck - 1), (32, neck + 1), (41, neck - 1)), 2.4, 2.4, scene.accent("red", "blue"),
            )  # fmt: skip
            return
        case "bare":
            scene.poly(shape, look.skin, 5.5)
            kilt = look.cloth if look.cloth != look.skin else "leather"
            scene.poly(
                ((32 - half, hip - 2), (32 + half, hip - 2), (32 + half * 0.9, hip + 6), (32, hip + 4),
                (32 - half * 0.9, hip + 6)), kilt, 2,
            )  # fmt: skip
            scene.stroke(((32, neck + 5), (32, hip - 4)), look.skin, 1)
            scene.stroke(((32 - half * 0.6, neck + 9), (32 + half * 0.6, neck + 9)), look.skin, 1)
        case "plate":
            scene.poly(shape, look.cloth, 4.5, gloss=0.7)
            emblem = scene.accent("gold", "crimson", "sapphire", "purple")
            scene.dot(32, neck + 9, emblem, 3, w=2.4, h=8)
            scene.dot(32, neck + 8, emblem, 3, w=7, h=2.4)
        case "wraps":
            scene.poly(shape, look.skin, 5)
            for y in range(int(neck) + 4, 58, 4):
                scene.stroke(((24, y), (41, y - 2)), look.skin, 1)
        case _:
            scene.poly(shape, look.cloth, 4.5)
            trim = blend(look.cloth, "cream", 0.6)
            scene.stroke(((32, neck + 4), (32, hip - 3)), trim, 3)
    if look.body != "bones":
        scene.box(32 - half * 0.9, hip - 2.5, half * 1.8, 3.6, "leather", 1.2)
        scene.dot(32, hip - 0.7, "gold", 4, w=3.2, h=3.2)


def _shield(scene: Scene, x: float, y: float) -> None:
    colour = scene.brief.near("shield", scene.accent("crimson", "blue", "pine", "purple"))
    with scene.at(x, y, scale=0.4):
        scene.poly(((10, 6), (32, 0), (54, 6), (54, 34), (32, 62), (10, 34)), "gold", 7, gloss=0.5)
        scene.poly(
            ((16, 12), (32, 7), (48, 12), (48, 32), (32, 53), (16, 32)), colour, 6, gloss=0.3, soft=True,
        )  # fmt: skip
        scene.dot(32, 29, "gold", 4, w=5, h=30)
        scene.dot(32, 24, "gold", 4, w=24, h=5)


def _wings(scene: Scene, look: Look, neck: float) -> None:
    y = neck + 4
    if look.wings == "bat":
        wing = blend(look.skin, "ink", 0.45)
        scene.poly(
            ((28, y + 4), (14, y - 14), (2, y - 8), (1, y + 14), (8, y + 8), (13, y + 16), (20, y + 10),
            (27, y + 14)), wing, 2.5, mirror=True,
        )  # fmt: skip
        scene.stroke(((27, y + 4), (14, y - 13), (8, y + 8)), wing, 4)
    elif look.wings == "gauze":
        wing = scene.accent("cyan", "lavender", "mint")
        scene.oval(17, y - 4, 15, 7, 40, wing, gloss=0.8, tone=0.6, mirror=True)
        scene.oval(18, y + 11, 11, 5.5, -30, wing, gloss=0.8, tone=0.6, mirror=True)
        scene.glow(32, y, 30, wing)
    else:
        for i in range(4):
            scene.limb(
                ((27, y + 5), (15 - i, y - 8 + i * 6), (5 + i * 3, y - 4 + i * 8)), 5, 3, "white",
                mirror=True,
            )  # fmt: skip


draws(" ".join((*LOOKS, *ALIASES)))(figure)
