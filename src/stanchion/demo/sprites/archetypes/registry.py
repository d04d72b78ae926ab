"""Where archetypes sign in under the nouns that they draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanchion.demo.sprites.scene import Scene

    Archetype = Callable[[Scene], None]

ARCHETYPES: dict[str, Archetype] = {}


def draws(nouns: str) -> Callable[[Archetype], Archetype]:
    """Sign a function in as what draws these nouns, given with spaces between them."""

    def sign(archetype: Archetype) -> Archetype:
        for noun in nouns.split():
            ARCHETYPES[noun] = archetype
        return archetype

    return sign
