"""Who is asking: a bearer key, a session cookie, or nobody at all on a loopback without keys."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stanchion.domain.query import Scope
from stanchion.domain.units import DEFAULT_TENANT, HOUR
from stanchion.errors import ConfigError, PermissionDeniedError
from stanchion.security.scopes import EVERYTHING, allows
from stanchion.server.seal import Seal

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from stanchion.domain.units import Instant
    from stanchion.security.keys import ApiKey, Keyring
    from stanchion.server.keyfile import Keys

COOKIE: Final = "stanchion_session"
SESSION: Final = 12 * HOUR
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may do.

    Args:
        id: The key's, safe to log.
        tenant: Whose jobs they see; None: every tenant's.
        scopes: What they may do.
        by: How they said who they are: `key`, `cookie`, or `open` where no key is configured.
        expires_at: When that ends.
        mark: Of a session, which secret sealed it.
    """

    id: str
    tenant: str | None
    scopes: frozenset[str]
    by: str
    expires_at: Instant | None = None
    mark: str = ""

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
    """Tells who a request comes from; None is a stranger.

    Args:
        keys: The keys that open it.
        seal: What sessions are sealed with; a secret of this process where left out.
    """

    def __init__(self, keys: Keys, seal: Seal | None = None) -> None:
        self._keys = keys
        self.seal = seal or Seal()

    @property
    def keyring(self) -> Keyring:
        """Return the keys in force."""
        return self._keys.ring

    @property
    def required(self) -> bool:
        """Whether a credential is needed: also where keys were configured and none is left."""
        return self._keys.configured or bool(self.keyring)

    def look(self, now: Instant) -> None:
        """Take notice of a key file that changed, at most once a second."""
        self._keys.look(now)

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
        self.look(now)
        key = self.keyring.find(text, now)
        return _as_principal(key, "key", key.expires_at) if key is not None else None

    def open_session(self, key_id: str, now: Instant) -> str:
        """Return the value of a session's cookie; it holds no secret and ends with its key."""
        body = f"{key_id}.{now + SESSION}"
        return f"{body}.{self.seal.of(body.encode(), now)}"

    def by_cookie(self, value: str, now: Instant) -> Principal | None:
        """Return whose session this is."""
        body, _, seal = value.rpartition(".")
        key_id, _, until = body.partition(".")
        if not value.isascii() or not hmac.compare_digest(self.seal.of(body.encode(), now), seal):
            return None
        self.look(now)
        if not until.isdecimal() or now >= int(until):
            return None
        key = self.keyring.get(key_id, now)
        ends = int(until) if key is None or key.expires_at is None else min(int(until), key.expires_at)
        return _as_principal(key, "cookie", ends, self.mark(now)) if key is not None else None

    def holds(self, who: Principal, now: Instant) -> bool:
        """Return whether a credential that was good still is, and still allows the same."""
        if who.by == "open":
            return not self.required
        if who.expires_at is not None and now >= who.expires_at:
            return False
        if who.by == "cookie" and who.mark != self.mark(now):
            return False
        key = self.keyring.get(who.id, now)
        return key is not None and (key.tenant, key.scopes) == (who.tenant, who.scopes)

    def mark(self, now: Instant) -> str:
        """Return what tells the secret that seals sessions from any other, and nothing about it."""
        return self.seal.of(b"", now)


def _as_principal(key: ApiKey, by: str, expires_at: Instant | None, mark: str = "") -> Principal:
    return Principal(key.id, key.tenant, key.scopes, by, expires_at, mark)


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
