"""The archetypes: which nouns are known, and what draws each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import (
    aircraft,
    arms,
    beasts,
    birds,
    blobs,
    buildings,
    crafts,
    critters,
    curios,
    devices,
    emblems,
    food,
    gear,
    generic,
    landmarks,
    monuments,
    people,
    plants,
    tiles,
    treasures,
)  # fmt: skip
from stanchion.demo.sprites.archetypes.looks import TITLES
from stanchion.demo.sprites.archetypes.registry import ARCHETYPES
from stanchion.demo.sprites.words import Brief, read

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene

__all__ = ["draw", "understand"]

ALIVE = frozenset(module.__name__ for module in (beasts, birds, blobs, critters, people))
LIFELESS = (
    aircraft, arms, buildings, crafts, curios, devices, emblems, food, gear, landmarks, monuments, plants,
        treasures,
)  # fmt: skip
"""Modules of things: imported because that is what signs their archetypes in."""
CREATURES = frozenset(noun for noun, one in ARCHETYPES.items() if one.__module__ in ALIVE and noun not in TITLES)


def understand(prompt: str) -> Brief:
    """Return what a prompt asks for, in the nouns that the archetypes know."""
    return read(prompt, ARCHETYPES, TITLES, CREATURES)


def draw(scene: Scene) -> None:
    """Draw what the prompt asks for; a mirrored figure of its own where no archetype is known."""
    if tiles.wanted(scene):
        tiles.tile(scene)
        return
    ARCHETYPES.get(scene.brief.noun, generic.figure)(scene)
