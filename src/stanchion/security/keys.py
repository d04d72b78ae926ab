"""API keys as settings give them, and the ring that finds the one a caller holds."""

from __future__ import annotations

import hmac
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from stanchion.errors import ConfigError
from stanchion.security.scopes import EVERYTHING, USUAL, checked
from stanchion.security.tokens import digest, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanchion.domain.units import Instant

PEPPER: Final = "STANCHION_PEPPER"
_OTHERS: Final = 0o007
_DIGEST_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key: never its secret.

    Args:
        id: The part of the key's text that names it; safe to log.
        digest: HMAC-SHA-256 of the secret under the pepper.
        tenant: Whose key it is; None sees and serves every tenant.
        scopes: What it allows.
        expires_at: When it ends, in ms since the epoch; None: never.
    """

    id: str
    digest: bytes = field(repr=False)
    tenant: str | None = None
    scopes: frozenset[str] = USUAL
    expires_at: Instant | None = None
    label: str = ""

    def alive(self, now: Instant) -> bool:
        """Return whether the key has not expired."""
        return self.expires_at is None or now < self.expires_at


class Keyring:
    """The keys of a server, found by the id that a key's text carries."""

    def __init__(self, keys: Iterable[ApiKey] = (), *, pepper: bytes = b"") -> None:
        self._keys = {key.id: key for key in keys}
        self._pepper = pepper

    def __bool__(self) -> bool:
        """Whether any key is configured."""
        return bool(self._keys)

    def get(self, key_id: str, now: Instant) -> ApiKey | None:
        """Return a living key by its id."""
        key = self._keys.get(key_id)
        return key if key is not None and key.alive(now) else None

    def find(self, text: str, now: Instant) -> ApiKey | None:
        """Return the living key of this text, None for any other text; compares in constant time."""
        token = parse(text)
        if token is None:
            return None
        key = self.get(token.id, now)
        stored = key.digest if key is not None else bytes(_DIGEST_LENGTH)
        fits = hmac.compare_digest(digest(token.secret, self._pepper), stored)
        return key if fits else None

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """Put other keys in the place of all that were known; what is missing is revoked at once."""
        self._keys = {key.id: key for key in keys}


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One `[[key]]` of a key file: the key's text, or its id and digest."""

    key: str | None = None
    id: str | None = None
    digest: str | None = None
    tenant: str | None = None
    scopes: list[str] | None = None
    expires: datetime | None = None
    label: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    key: list[_Entry] = msgspec.field(default_factory=list)


def load_keys(texts: Iterable[str] = (), file: Path | None = None, *, pepper: bytes = b"") -> tuple[ApiKey, ...]:
    """Return the keys that settings and a key file name.

    Args:
        texts: Keys as their owners hold them: each allows everything, for every tenant. Hashed and forgotten.
        file: TOML with one `[[key]]` each, that may grant less.
        pepper: A secret that the digests in the file were made with.

    Raises:
        ConfigError: A key cannot be used. The message never holds the key.
    """
    listed = [text.strip() for text in texts if text.strip()]
    keys = [_from_text(text, pepper, f"API key number {n}", EVERYTHING) for n, text in enumerate(listed, 1)]
    if file is not None:
        keys += [_from_entry(entry, pepper, f"key {n} of {file}") for n, entry in enumerate(_read(file), 1)]
    if len({key.id for key in keys}) < len(keys):
        message = "Two API keys have the same id."
        raise ConfigError(message, remedy="Remove the repeated key.")
    return tuple(keys)


def _read(path: Path) -> list[_Entry]:
    try:
        if path.stat().st_mode & _OTHERS:
            message = f"The key file {path} is open to every user of this machine."
            raise ConfigError(message, remedy=f"Run: chmod 600 {path}")
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File, strict=False).key
    except (OSError, ValueError, msgspec.ValidationError) as error:
        message = f"The key file {path} cannot be read: {type(error).__name__}."
        raise ConfigError(
            message, remedy="Write it as TOML: one [[key]] with `key` or `id` and `digest` each."
        ) from error


def _from_text(text: str, pepper: bytes, where: str, scopes: Iterable[str]) -> ApiKey:
    token = parse(text)
    if token is None:
        message = f"The {where} is not an API key, or was mistyped."
        raise ConfigError(message, remedy="Copy all of it, from `stn_` to the checksum.")
    return ApiKey(id=token.id, digest=digest(token.secret, pepper), scopes=frozenset(scopes))


def _from_entry(entry: _Entry, pepper: bytes, where: str) -> ApiKey:
    try:
        scopes = checked(entry.scopes) if entry.scopes is not None else USUAL
        if entry.key is not None:
            stored = _from_text(entry.key, pepper, where, scopes)
            key_id, secret_digest = stored.id, stored.digest
        else:
            key_id, secret_digest = entry.id or "", bytes.fromhex(entry.digest or "")
    except ValueError as error:
        message = f"The {where} cannot be used: {error}."
        raise ConfigError(message) from error
    if not key_id or len(secret_digest) != _DIGEST_LENGTH:
        message = f"The {where} needs `key`, or `id` and a `digest` of 64 hexadecimal digits."
        raise ConfigError(message)
    expires = None if entry.expires is None else round(entry.expires.timestamp() * 1000)
    return ApiKey(
        id=key_id,
        digest=secret_digest,
        tenant=entry.tenant,
        scopes=scopes,
        expires_at=expires,
        label=entry.label,
    )
