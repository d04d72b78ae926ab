"""Exit codes: what each one means, and which error gives it."""

from __future__ import annotations

from typing import Final

from stanchion.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    RefusedError,
    StoreError,
    UsageError,
)

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
STORE: Final = 3
NOT_FOUND: Final = 4
REFUSED: Final = 5
INTERRUPTED: Final = 130

MEANINGS: Final = {
    OK: "done",
    FAILED: "the operation failed, or a job did",
    USAGE: "the command or a setting cannot be used",
    STORE: "the store is not available",
    NOT_FOUND: "there is no such job, queue or file",
    REFUSED: "refused, or the state of things forbids it",
    INTERRUPTED: "interrupted",
}
HELP: Final = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items()) + "."

_BY_ERROR: Final = (
    (ConfigError, USAGE),
    (UsageError, USAGE),
    (NotFoundError, NOT_FOUND),
    (ConflictError, REFUSED),
    (RefusedError, REFUSED),
    (StoreError, STORE),
)


def code_of(error: BaseException) -> int:
    """Return the exit code that an error gives."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAILED)
