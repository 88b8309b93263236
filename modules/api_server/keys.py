"""Who is calling the API: a key becomes a principal with scopes. Making and storing keys is modules/call_history's job."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from modules.api_server.parts import Parts
from modules.calls.errors import NotFound

FIRST = "first"
"""The id of the key in the environment (API_KEY). It may do everything and works without a database."""
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sent a request. `by_cookie` where a browser sent it by itself."""

    key_id: str
    name: str
    scopes: frozenset[str]
    by_cookie: bool = False

    def may(self, scope: str) -> bool:
        """Return whether this key has the scope; admin has them all."""
        return scope in self.scopes or ADMIN in self.scopes


class KeyRing:
    """All keys that open the API."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        first = parts.settings.api_key.get_secret_value()
        self.first_digest = hashlib.sha256(first.encode()).digest() if first else None

    async def check(self, presented: str, now: datetime) -> Principal | None:
        """Return whose key this is, or None. Raises Unavailable where only the database could know."""
        digest = hashlib.sha256(presented.encode(errors="surrogateescape")).digest()
        if self.first_digest and hmac.compare_digest(digest, self.first_digest):
            return _first()
        found = await (await self._parts.past.get()).keys.verify(presented, now)
        return Principal(found.id, found.name, frozenset(found.scopes)) if found else None

    async def by_id(self, key_id: str, now: datetime) -> Principal | None:
        """Return the principal of a key that was checked before and may have been revoked since."""
        if key_id == FIRST:
            return _first() if self.first_digest else None
        try:
            key = await (await self._parts.past.get()).keys.by_id(key_id)
        except NotFound:
            return None
        return Principal(key.id, key.name, frozenset(key.scopes)) if key.opens(now) else None


def _first() -> Principal:
    return Principal(FIRST, "API_KEY", frozenset({ADMIN}))
