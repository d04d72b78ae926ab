"""The text of an API key: `stn_<env>_<keyid>_<secret>_<crc>`.

Typed prefix and checksum let scanners find leaked keys, and let a typo be refused without a look-up.

Source:
    GitHub Engineering, Behind GitHub's new authentication token formats, 2021.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from typing import Final, NamedTuple

PREFIX: Final = "stn"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = frozenset(_ALPHABET)
_ID_LENGTH: Final = 12
_SECRET_LENGTH: Final = 43
"""43 digits of base 62 hold 256 bits."""
_CRC_LENGTH: Final = 6
_MAX_ENV: Final = 16
_PARTS: Final = 5


class Token(NamedTuple):
    """The parts of an API key that matter; `secret` is never stored or shown again."""

    env: str
    id: str
    secret: str


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CRC_LENGTH)


def mint(env: str = "live") -> str:
    """Return the text of a new key; show it once, store its `digest`."""
    if not env or len(env) > _MAX_ENV or not _DIGITS.issuperset(env):
        message = f"{env!r} cannot name an environment; use 1 to {_MAX_ENV} letters and digits"
        raise ValueError(message)
    key_id = _base62(secrets.randbits(71), _ID_LENGTH)
    body = f"{PREFIX}_{env}_{key_id}_{_base62(secrets.randbits(256), _SECRET_LENGTH)}"
    return f"{body}_{_checksum(body)}"


def parse(text: str) -> Token | None:
    """Return the parts of a key, None where it is not one; the text is never part of a message."""
    parts = text.split("_")
    if len(parts) != _PARTS or parts[0] != PREFIX or not text.isascii():
        return None
    _, env, key_id, secret, crc = parts
    shaped = 0 < len(env) <= _MAX_ENV and len(key_id) == _ID_LENGTH and len(secret) == _SECRET_LENGTH
    if not shaped or not _DIGITS.issuperset(env + key_id + secret):
        return None
    if not hmac.compare_digest(_checksum(text.rpartition("_")[0]), crc):
        return None
    return Token(env, key_id, secret)


def digest(secret: str, pepper: bytes = b"") -> bytes:
    """Return what is stored of a secret: HMAC-SHA-256 under the pepper.

    A slow hash would add nothing: the secret has 256 random bits.
    """
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()
