"""What a prompt asks for: its subject, its colours, and what the subject has with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanchion.demo.sprites.palette import MATERIALS

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

SPLITTERS = frozenset(
    [
        "with",
        "of",
        "in",
        "on",
        "at",
        "for",
        "from",
        "by",
        "under",
        "holding",
        "wielding",
        "wearing",
        "carrying",
        "riding",
        "that",
        "and",
        "over",
        "above",
        "beside",
        "behind",
        "near",
        "made",
        "full",
        "against",
        "casting",
        "playing",
        "inside",
        "after",
        "before",
    ]
)
WRAPPERS = frozenset(["icon", "sprite", "picture", "pixel", "art", "tileset", "asset", "symbol", "image", "emblem"])

SYNONYMS: dict[str, str] = {
    "golden": "gold", "silvery": "silver", "wooden": "wood", "oak": "wood", "oaken": "wood", "icy": "ice",
    "frozen": "ice", "frost": "ice", "frosty": "ice", "crystal": "ice", "glacial": "ice", "fiery": "flame",
    "fire": "flame", "burning": "flame", "flaming": "flame", "molten": "lava", "magma": "lava",
    "poisonous": "poison", "venomous": "poison", "venom": "poison", "acid": "toxic", "radioactive": "toxic",
    "dark": "shadow", "cursed": "shadow", "demonic": "ember", "hellish": "ember", "sacred": "holy",
    "blessed": "holy", "divine": "holy", "lightning": "spark", "electric": "spark", "thunder": "spark",
    "storm": "navy", "mossy": "olive", "moss": "leaf", "mana": "blue", "healing": "red", "health": "red",
    "blood": "crimson", "scarlet": "crimson", "azure": "sky", "turquoise": "teal", "rusty": "rust",
    "rusted": "rust", "gray": "grey", "ashen": "grey", "bony": "bone", "ivory": "cream", "snowy": "snow",
    "sandy": "sand", "desert": "sand", "indigo": "violet", "lilac": "lavender", "magic": "arcane",
    "magical": "arcane", "enchanted": "arcane", "mystic": "arcane", "void": "violet", "cosmic": "violet",
    "peach": "coral", "mahogany": "rust", "charcoal": "ink", "leafy": "leaf", "royal": "purple",
    "watery": "water", "muddy": "dirt", "iron-bound": "iron", "brass": "gold", "marble": "white",
    "honey": "amber", "sunlight": "amber", "chocolate": "brown", "cherry": "crimson", "strawberry": "rose",
    "solar": "amber",
    "lunar": "silver", "ghostly": "sky", "spectral": "mint", "stony": "stone", "rocky": "rock",
}  # fmt: skip
UNNAMED = frozenset({"skin", "glass", "cloth", "paper", "night", "pine", "grass", "dirt", "brick", "orc", "goblin"})
"""Materials that are not colours when a prompt names them."""


@dataclass(frozen=True, slots=True)
class Brief:
    """A prompt, understood as far as keywords go."""

    noun: str
    """The subject: a word that an archetype draws, or '' when none is known."""
    words: tuple[str, ...]
    colours: tuple[str, ...]
    """Colours of the subject, in the order named."""
    others: tuple[str, ...]
    """Colours named for something else in the prompt."""

    def says(self, *words: str) -> bool:
        """Return whether the prompt has one of these words, or its plural."""
        return any(word in self.words or f"{word}s" in self.words for word in words)

    def near(self, word: str, default: str) -> str:
        """Return the colour named in the three words before `word`: 'a dark red cape' is red."""
        named = next((one for one in (word, f"{word}s") if one in self.words), None)
        if named:
            at = self.words.index(named)
            for before in reversed(self.words[max(0, at - 3) : at]):
                if colour := colour_of(before):
                    return colour
                if before in SPLITTERS:
                    break
        return default


def read(prompt: str, nouns: Container[str], titles: Container[str] = (), creatures: Container[str] = ()) -> Brief:
    """Return what a prompt asks for.

    The subject is the last known noun before the first word such as 'with' or 'of' ('a stone golem with a
    club' is a golem); failing that, the first known noun after it ('a bag full of apples').

    Args:
        prompt: Any text.
        nouns: The words that archetypes draw.
        titles: Nouns that give way to a creature before them: an 'orc warrior' is an orc first.
        creatures: The nouns that they give way to.
    """
    words = tuple(_split(prompt, nouns))
    cut = next((at for at, word in enumerate(words) if at and word in SPLITTERS), len(words))
    known = [at for at, word in enumerate(words) if word in nouns and word not in WRAPPERS]
    inner = [at for at in known if at < cut]
    place = inner[-1] if inner else known[0] if known else cut - 1
    noun = words[place] if known else ""
    if noun in titles:
        noun = next((words[at] for at in inner if words[at] in creatures), noun)
    said, after = _colours(words[: place + 1]), _colours(words[place + 1 :])
    if not said and words[place + 1 : place + 2] in {("of",), ("in",)}:
        said = _colours(words[place + 1 : place + 4])
    return Brief(noun, words, said, after)


def _split(prompt: str, nouns: Container[str]) -> Iterator[str]:
    for word in re.findall(r"[a-z]+(?:-[a-z]+)*", prompt.lower()):
        whole = singular(word, nouns)
        if "-" not in word or whole in nouns:
            yield whole
        else:
            yield from (singular(piece, nouns) for piece in word.split("-"))


def _colours(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(colour for word in words if (colour := colour_of(word)))


def colour_of(word: str) -> str:
    """Return the material that a word names as a colour, or ''."""
    name = SYNONYMS.get(word, word)
    return name if name in MATERIALS and name not in UNNAMED else ""


def singular(word: str, nouns: Container[str]) -> str:
    """Return a known noun for its plural; any other word as it is."""
    if word in nouns:
        return word
    for ending, other in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        stem = word.removesuffix(ending) + other
        if word.endswith(ending) and stem in nouns:
            return stem
    return word
