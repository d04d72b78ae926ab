"""What makes two arguments the same in a content key; the job keeps them as they were given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stanchion.domain.keys import Json

_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize:
    """How the texts of one argument are brought to one form before they are compared.

    It holds for a text, and for every text inside a list or an object; names of members and numbers stay.

    Attributes:
        trim: Leave out white space at both ends.
        lower: Take capitals for small letters.
        squeeze: Take each run of white space for one space.
    """

    trim: bool = False
    lower: bool = False
    squeeze: bool = False

    def text(self, value: str) -> str:
        """Return the form of one text; the form of the form is itself."""
        if self.lower:
            value = value.lower()
        if self.squeeze:
            value = _SPACE.sub(" ", value)
        return value.strip() if self.trim else value

    def value(self, value: Json) -> Json:
        """Return a value with all its texts in their form."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def normalized(arguments: Mapping[str, Json], rules: Mapping[str, Normalize]) -> dict[str, Json]:
    """Return arguments with those that have a rule in their form."""
    return {
        name: rules[name].value(value) if name in rules else value for name, value in arguments.items()
    }  # fmt: skip
