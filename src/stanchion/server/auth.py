"""Who is asking: a bearer key, a session cookie, or nobody at all on a loopback without keys."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stanchion.domain.query import Scope
from stanchion.domain.units import DEFAULT_TENANT, HOUR
from stanchion.errors import ConfigError, PermissionDeniedError
from stanchion.security.scopes import EVERYTHING, allows

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from stanchion.domain.units import Instant
    from stanchion.security.keys import ApiKey, Keyring

COOKIE: Final = "stanchion_session"
SESSION: Final = 12 * HOUR
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may do. `by` is how they said so: key, cookie, or open (no keys configured)."""

    id: str
    tenant: str | None
    scopes: frozenset[str]
    by: str
    expires_at: Instant | None = None

    @property
    def scope(self) -> Scope:
        """Return whose jobs they may see."""
        return Scope(self.tenant)

    def may(self, needed: str) -> bool:
        """Return whether their scopes cover the needed one."""
        return allows(self.scopes, needed)

    def need(self, needed: str) -> None:
        """Refuse what their scopes do not cover."""
        if not self.may(needed):
            message = f"This credential lacks the scope {needed!r}."
            raise PermissionDeniedError(message)

    def tenant_for(self, asked: str | None) -> str:
        """Return whose job a new job is: the credential's; a credential of no tenant may name one."""
        if self.tenant is None:
            return asked or DEFAULT_TENANT
        if asked not in (None, self.tenant):
            message = "This credential cannot enqueue for another tenant."
            raise PermissionDeniedError(message, remedy="Leave `tenant` out.")
        return self.tenant


GUEST: Final = Principal("guest", None, frozenset(), "guest")
"""Who calls a public endpoint without a credential."""

OPEN: Final = Principal("open", None, EVERYTHING, "open")


class Door:
    """Tells who a request comes from; None is a stranger."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self._secret = secrets.token_bytes(32)

    @property
    def required(self) -> bool:
        """Whether a credential is needed."""
        return bool(self.keyring)

    def principal(self, connection: HTTPConnection, now: Instant) -> Principal | None:
        """Return who asks; a bearer key that is wrong is not made good by a cookie."""
        if not self.required:
            return OPEN
        header = connection.headers.get("authorization")
        if header is not None:
            scheme, _, credential = header.partition(" ")
            return self.by_key(credential.strip(), now) if scheme.lower() == "bearer" else None
        cookie = connection.cookies.get(COOKIE)
        return self.by_cookie(cookie, now) if cookie is not None else None

    def by_key(self, text: str, now: Instant) -> Principal | None:
        """Return whose key this is."""
        key = self.keyring.find(text, now)
        return _as_principal(key, "key", key.expires_at) if key is not None else None

    def open_session(self, key_id: str, now: Instant) -> str:
        """Return the value of a session's cookie; it holds no secret and ends with its key."""
        body = f"{key_id}.{now + SESSION}"
        return f"{body}.{self._seal(body)}"

    def by_cookie(self, value: str, now: Instant) -> Principal | None:
        """Return whose session this is."""
        body, _, seal = value.rpartition(".")
        key_id, _, until = body.partition(".")
        if not value.isascii() or not hmac.compare_digest(self._seal(body), seal):
            return None
        if not until.isdecimal() or now >= int(until):
            return None
        key = self.keyring.get(key_id, now)
        ends = int(until) if key is None or key.expires_at is None else min(int(until), key.expires_at)
        return _as_principal(key, "cookie", ends) if key is not None else None

    def _seal(self, body: str) -> str:
        return hmac.new(self._secret, body.encode(), hashlib.sha256).hexdigest()


def _as_principal(key: ApiKey, by: str, expires_at: Instant | None) -> Principal:
    return Principal(key.id, key.tenant, key.scopes, by, expires_at)


def is_loopback(host: str) -> bool:
    """Return whether a name or address to bind is reachable from this machine alone."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_bind(host: str, keys: object) -> None:
    """Refuse to serve other machines without any API key.

    Raises:
        ConfigError: The host is not a loopback and no key is configured.
    """
    if not keys and not is_loopback(host):
        message = f"Serving {host!r} would let everyone on the network run and read jobs: no API key is configured."
        raise ConfigError(message, remedy="Set STANCHION_KEYS or STANCHION_KEYS_FILE, or bind 127.0.0.1.")
