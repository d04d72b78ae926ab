"""Colours: materials by name, ramps of tones, and palettes that bound a whole sprite."""

from __future__ import annotations

from functools import cache

Rgb = tuple[int, int, int]

MATERIALS: dict[str, str] = {
    "steel": "#a3b1c4", "iron": "#75808f", "silver": "#c3cfdd", "gold": "#efb42c", "bronze": "#c07f3c",
    "copper": "#d0764a", "wood": "#9a643c", "darkwood": "#6b4430", "paper": "#eddcae", "leather": "#94583a",
    "bone": "#e9dfc4", "stone": "#8b8d98", "rock": "#77757f", "glass": "#a8d9ec", "skin": "#f0b489",
    "tan": "#cf8f62", "umber": "#8f5a3c", "orc": "#6f9e45", "goblin": "#8fbf4a", "undead": "#8fa77d",
    "leaf": "#4f9e48", "pine": "#2f7a58", "grass": "#63b34b", "dirt": "#94693f", "sand": "#e2c583",
    "snow": "#e3eef8", "water": "#3f8bdc", "lava": "#f2692c", "brick": "#b4553f", "flame": "#f98b2a",
    "ember": "#e0452c", "ice": "#8fd8f2", "night": "#4a4668", "white": "#eceef4", "black": "#44424f",
    "grey": "#8f929e", "red": "#d9413f", "orange": "#ee8434", "yellow": "#f3cf45", "green": "#4fae4c",
    "blue": "#3f74d6", "purple": "#8a4fc4", "pink": "#ef86b4", "brown": "#8d5c3c", "cyan": "#45c4d6",
    "teal": "#2f9c93", "lime": "#a4d83f", "magenta": "#d647a6", "navy": "#3a4f94", "crimson": "#b92c49",
    "violet": "#7b57d4", "cream": "#f5e6c4", "rose": "#e4607e", "emerald": "#2fb673", "ruby": "#d62f55",
    "sapphire": "#3763dc", "amethyst": "#a060dc", "topaz": "#f0a332", "jade": "#56b58c", "amber": "#eea02c",
    "obsidian": "#4b4560", "poison": "#8bd034", "shadow": "#564a78", "holy": "#f7e193", "spark": "#f8e04a",
    "toxic": "#a3d92f", "arcane": "#a45cf0", "rust": "#b0603c", "olive": "#8a8f3f", "coral": "#f2786a",
    "mint": "#8fdcb4", "sky": "#7fc1f2", "lavender": "#b7a0e6", "ink": "#35323f", "cloth": "#7c86b4",
}  # fmt: skip

PALETTES: dict[str, tuple[str, ...]] = {
    "pocket": ("#16281c", "#34563a", "#7f9f4a", "#d8e6a0"),
    "sepia": ("#241610", "#4a2e1f", "#7d5435", "#b08452", "#dcb982", "#f6e6c0"),
    "mono": ("#121216", "#3a3c44", "#6c707c", "#a4a8b4", "#dadde4", "#ffffff"),
    "ember": ("#1c0f1a", "#4a1626", "#8c2230", "#cf4231", "#f0803c", "#f8bf5c", "#fff0b4"),
    "frost": ("#0f1630", "#21356a", "#3465a8", "#4f9bd6", "#8fcdf0", "#c9ecfa", "#ffffff"),
    "neon": ("#120b26", "#2b1a5c", "#5b23a8", "#c426b4", "#ff4d8d", "#2ee6d6", "#8effa0", "#fdf7c0"),
    "forest": ("#141c16", "#27402b", "#3f6b3a", "#6b9a44", "#a8c65a", "#5a3d28", "#8f6640", "#c9a26a",
        "#efe7bc"),
    "candy": ("#3b1f3f", "#7a3a6d", "#d15c94", "#f58fb0", "#fbc6cf", "#6bc7d8", "#a8ecd8", "#fff4d6"),
    "dusk": ("#1a1330", "#3a2358", "#6a3478", "#a8487c", "#e0707a", "#f4a77c", "#fbdca0", "#4a5a9c",
        "#7d96c8"),
    "classic": (
        "#1a1c2c", "#5d275d", "#b13e53", "#ef7d57", "#ffcd75", "#a7f070", "#38b764", "#257179",
        "#29366f", "#3b5dc9", "#41a6f6", "#73eff7", "#f4f4f4", "#94b0c2", "#566c86", "#333c57",
    ),
}  # fmt: skip

LINE, DEEP, SHADE, BASE, LIGHT, GLINT = range(6)
"""Places in a ramp, from the outline to the brightest tone."""


def rgb(colour: str) -> Rgb:
    """Return a material's or `#rrggbb` colour as red, green and blue."""
    text = MATERIALS.get(colour, colour)
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def blend(one: str, other: str, share: float) -> str:
    """Return `#rrggbb` between two colours; `share` 0 is the first, 1 the other."""
    return "#{:02x}{:02x}{:02x}".format(*_mix(rgb(one), rgb(other), share))


@cache
def ramp(colour: str) -> tuple[Rgb, ...]:
    """Return six tones of a colour; darks lean to violet and lights to warm white, as painters do."""
    base = rgb(colour)
    return (
        _mix(_dim(base, 0.20), (22, 16, 40), 0.50),
        _mix(_dim(base, 0.48), (38, 24, 84), 0.30),
        _mix(_dim(base, 0.74), (64, 44, 118), 0.15),
        base,
        _mix(base, (255, 244, 196), 0.32),
        _mix(base, (255, 253, 240), 0.66),
    )


@cache
def bound(colour: Rgb, palette: str | None) -> Rgb:
    """Return the palette's colour for this one; the colour itself when there is no palette.

    Short palettes are one ramp and are matched by brightness, longer ones by distance.
    """
    if palette is None:
        return colour
    known = [rgb(one) for one in PALETTES[palette]]
    if palette in {"pocket", "sepia", "mono", "ember", "frost"}:
        place = min(_luma(colour) / 256 * 1.06, 0.999)
        return known[int(place * len(known))]
    return min(known, key=lambda other: _distance(colour, other))


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _dim(colour: Rgb, factor: float) -> Rgb:
    return _mix((0, 0, 0), colour, factor)


def _luma(colour: Rgb) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _distance(one: Rgb, other: Rgb) -> float:
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return (2 + mean / 256) * red * red + 4 * green * green + (2 + (255 - mean) / 256) * blue * blue
