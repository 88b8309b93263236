"""The web page's cookie: it says which key signed in and until when, signed, without the key in it. Nothing is stored."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from modules.api_server.keys import FIRST, KeyRing, Principal

COOKIE = "voicefleet_session"
LASTS = timedelta(hours=12)


class Sessions:
    """Signs and reads the cookie. A changed LIVEKIT_API_SECRET or API_KEY ends the sessions that rest on it."""

    def __init__(self, secret: str, ring: KeyRing) -> None:
        self._secret = hmac.digest(secret.encode(), b"voicefleet web session", "sha256")
        self._ring = ring

    def sign(self, principal: Principal, now: datetime) -> str:
        """Return the cookie's value for whoever has just shown a key."""
        plain = f"1.{principal.key_id}.{int((now + LASTS).timestamp())}"
        return f"{plain}.{self._mac(plain, principal.key_id)}"

    async def read(self, value: str, now: datetime) -> Principal | None:
        """Return who signed in, or None for a cookie that is not ours, too old, or whose key is gone."""
        plain, _, mac = value.rpartition(".")
        fields = plain.split(".")
        if len(fields) != 3 or not mac.isascii() or not hmac.compare_digest(mac, self._mac(plain, fields[1])):
            return None
        if now >= datetime.fromtimestamp(int(fields[2]), UTC):
            return None
        found = await self._ring.by_id(fields[1], now)
        return Principal(found.key_id, found.name, found.scopes, by_cookie=True) if found else None

    def _mac(self, plain: str, key_id: str) -> str:
        bound = self._ring.first_digest if key_id == FIRST else None
        return hmac.new(self._secret, plain.encode() + (bound or b""), hashlib.sha256).hexdigest()
