"""Forward-only migrations with checksums, shared by the SQL stores."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from stanchion.errors import SchemaChangedError, SchemaTooNewError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Migration(NamedTuple):
    """One numbered step of a schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(package: str) -> list[Migration]:
    """Return the migrations of a store's package, in order."""
    folder = resources.files(package) / "migrations"
    found = [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def pending(shipped: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Return the migrations to apply.

    Args:
        shipped: What this version knows, in order.
        applied: Number to checksum, as the store remembers them.

    Raises:
        SchemaTooNewError: The store has a migration that this version does not know.
        SchemaChangedError: A migration was applied with another text.
    """
    newest = shipped[-1].number if shipped else 0
    if applied and max(applied) > newest:
        raise SchemaTooNewError(max(applied), newest)
    for migration in shipped:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise SchemaChangedError(migration.number)
    return [migration for migration in shipped if migration.number not in applied]
