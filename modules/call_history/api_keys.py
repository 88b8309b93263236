"""API keys: made, shown once, checked, listed, revoked. Which route needs which scope is the API's business.

A key is "vf_<8 hex>_<secret>"; the first two parts are its public prefix, by which it is found. Its secret is 32 random
bytes, so a fast hash is right: nobody can try 2^256 of them. The salt only makes equal secrets look different.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import RowMapping, select, update

from modules.call_history.database import History
from modules.call_history.tables import api_keys
from modules.calls.errors import InvalidField, NotFound, Unavailable

LONGEST_NAME = 100
_SHAPE = re.compile(r"(vf_[0-9a-f]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
# Written at most this often: a busy key should not cost a write for every request.
_USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may do."""

    CALLS_WRITE = "calls:write"
    """Place and cancel calls."""
    CALLS_READ = "calls:read"
    """See calls and what was said."""
    PERSONALITIES_WRITE = "personalities:write"
    """Save and delete personalities and prompts."""
    RECORDINGS_READ = "recordings:read"
    """Hear recordings."""
    ADMIN = "admin"
    """Everything, keys included."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; not the key."""

    id: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def opens(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_SHOWN = [api_keys.c[name] for name in ApiKey.__dataclass_fields__]


class ApiKeys:
    """All keys but the one in the environment. Every method raises Unavailable where the database cannot answer."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def create(
        self, name: str, scopes: Iterable[Scope], now: datetime, *, expires_at: datetime | None = None
    ) -> tuple[str, ApiKey]:
        """Make a key; return it in plain, this once, and what is kept of it. Raises InvalidField."""
        if not 1 <= len(name.strip()) <= LONGEST_NAME or "\x00" in name:
            raise InvalidField(f"A key's name has 1 to {LONGEST_NAME} characters.", field="name")
        if not (granted := frozenset(scopes)):
            raise InvalidField("A key without a scope opens nothing.", field="scopes")
        if expires_at is not None and expires_at <= now:
            raise InvalidField("The key would have expired already.", field="expires_at")
        public, secret, salt = secrets.token_hex(4), secrets.token_urlsafe(32), secrets.token_hex(16)
        key = ApiKey(f"key_{public}", name.strip(), f"vf_{public}", granted, now, expires_at, None, None)
        row = {
            **{column.name: getattr(key, column.name) for column in _SHOWN},
            "scopes": " ".join(sorted(granted)),
            "salt": salt,
            "secret_hash": _hash(salt, secret),
        }
        async with self._history.write() as connection:
            await connection.execute(api_keys.insert().values(row))
        return f"{key.prefix}_{secret}", key

    async def verify(self, plain: str, now: datetime) -> ApiKey | None:
        """Return the key that `plain` is, or None where it is none, revoked or expired. Takes as long for either."""
        shape = _SHAPE.fullmatch(plain)
        prefix, secret = (shape[1], shape[2]) if shape else ("", "")
        async with self._history.read() as connection:
            query = select(*_SHOWN, api_keys.c.salt, api_keys.c.secret_hash).where(api_keys.c.prefix == prefix)
            found = (await connection.execute(query)).one_or_none()
        expected = found.secret_hash if found else ""
        same = hmac.compare_digest(_hash(found.salt if found else "", secret), expected)
        if found is None or not same or not (key := _key(found._mapping)).opens(now):
            return None
        await self._note_use(key, now)
        return key

    async def listed(self) -> tuple[ApiKey, ...]:
        """Return all keys, revoked ones too, oldest first."""
        async with self._history.read() as connection:
            found = await connection.execute(select(*_SHOWN).order_by(api_keys.c.created_at, api_keys.c.id))
            return tuple(_key(row) for row in found.mappings())

    async def by_id(self, key_id: str) -> ApiKey:
        """Return one key. Raises NotFound."""
        async with self._history.read() as connection:
            found = (await connection.execute(select(*_SHOWN).where(api_keys.c.id == key_id))).mappings().one_or_none()
        if found is None:
            raise NotFound("No API key has this id.")
        return _key(found)

    async def revoke(self, key_id: str, now: datetime) -> ApiKey:
        """Close a key for good; doing it again changes nothing. Raises NotFound."""
        async with self._history.write() as connection:
            still_open = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
            await connection.execute(update(api_keys).where(still_open).values(revoked_at=now))
        return await self.by_id(key_id)

    async def _note_use(self, key: ApiKey, now: datetime) -> None:
        if key.last_used_at is not None and now - key.last_used_at < _USE_NOTED_EVERY:
            return
        try:
            async with self._history.write() as connection:
                await connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(last_used_at=now))
        except Unavailable:
            return  # a database too busy to note it does not lock the caller out


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}{secret}".encode()).hexdigest()


def _key(row: RowMapping) -> ApiKey:
    values = {column.name: row[column.name] for column in _SHOWN}
    return ApiKey(**values | {"scopes": frozenset(Scope(scope) for scope in str(values["scopes"]).split())})
