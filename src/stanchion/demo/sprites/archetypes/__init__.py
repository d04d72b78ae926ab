"""The archetypes: which nouns are known, and what draws each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanchion.demo.sprites.archetypes import (
    arms, beasts, blobs, buildings, crafts, critters, curios, emblems, food, gear, generic, people, plants, tiles,
)  # fmt: skip
from stanchion.demo.sprites.archetypes.registry import ARCHETYPES

if TYPE_CHECKING:
    from stanchion.demo.sprites.scene import Scene

__all__ = ["ARCHETYPES", "MODULES", "draw"]

MODULES = (
    arms, beasts, blobs, buildings, crafts, critters, curios, emblems, food, gear, people, plants, tiles,
)  # fmt: skip
"""Imported for what they register."""


def draw(scene: Scene) -> None:
    """Draw what the prompt asks for; a mirrored figure of its own where no archetype is known."""
    if tiles.wanted(scene):
        tiles.tile(scene)
        return
    ARCHETYPES.get(scene.brief.noun, generic.figure)(scene)
