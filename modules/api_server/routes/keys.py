"""/v1/keys: make a key (it is shown in this one answer and never again), list keys, revoke one. For admin keys only."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from modules.api_server.guard import Administers
from modules.api_server.parts import Now, Using
from modules.api_server.schemas import NewKey
from modules.call_history import ApiKey
from modules.metrics_logger import get_logger

log = get_logger(__name__)
router = APIRouter(tags=["keys"])


@router.post("/v1/keys", status_code=201)
async def create_key(body: NewKey, principal: Administers, parts: Using, now: Now, response: Response) -> dict[str, Any]:
    """Make a key. `key` in the answer is the key itself; only its hash is kept."""
    keys = (await parts.past.get()).keys
    plain, made = await keys.create(body.name, body.scopes, now, expires_at=body.expires_at)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Location"] = f"/v1/keys/{made.id}"
    log.info("key.created", new_key_id=made.id, scopes=sorted(made.scopes), key_id=principal.key_id)
    return _shown(made, now) | {"key": plain}


@router.get("/v1/keys")
async def list_keys(_: Administers, parts: Using, now: Now) -> dict[str, Any]:
    """List all keys, revoked ones too. The key of the environment (API_KEY) is not among them."""
    return {"keys": [_shown(key, now) for key in await (await parts.past.get()).keys.listed()]}


@router.delete("/v1/keys/{key_id}")
async def revoke_key(key_id: str, principal: Administers, parts: Using, now: Now) -> dict[str, Any]:
    """Revoke a key: the next request with it, or with a session it signed in, is refused."""
    revoked = await (await parts.past.get()).keys.revoke(key_id, now)
    log.info("key.revoked", revoked_key_id=revoked.id, key_id=principal.key_id)
    return _shown(revoked, now)


def _shown(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "usable": key.opens(now),
    }
