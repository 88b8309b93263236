"""/v1/do-not-call: the numbers that are not called. Whoever may place calls may add one; only an admin takes one off."""

from typing import Any

from fastapi import APIRouter

from modules.api_server.guard import Administers, Reads, Writes
from modules.api_server.parts import Parts, Using
from modules.call_queue_manager import DoNotCall, DoNotCallEntry
from modules.calls import numbers
from modules.metrics_logger import get_logger

log = get_logger(__name__)
router = APIRouter(tags=["do-not-call"])


@router.get("/v1/do-not-call")
async def list_numbers(_: Reads, parts: Using) -> dict[str, Any]:
    """List all of them, the newest first."""
    return {"numbers": [_shown(entry) for entry in await (await _list(parts)).listed()]}


@router.put("/v1/do-not-call/{number}")
async def add_number(number: str, principal: Writes, parts: Using) -> dict[str, Any]:
    """Never call this number again, queued calls included. A number that is on the list already stays as it is."""
    e164 = numbers.parse(number, parts.settings.default_region)
    live = await parts.live.get()
    await live.durable()
    entry = await DoNotCall(live.store).add(e164, principal.key_id)
    log.info("do_not_call.added", number=numbers.mask(e164), source=entry.source)
    return _shown(entry)


@router.delete("/v1/do-not-call/{number}")
async def remove_number(number: str, principal: Administers, parts: Using) -> dict[str, Any]:
    """Let this number be called again: only where whoever answers it has said so."""
    e164 = numbers.parse(number, parts.settings.default_region)
    entry = await (await _list(parts)).remove(e164)
    log.info("do_not_call.removed", number=numbers.mask(e164), key_id=principal.key_id)
    return _shown(entry)


async def _list(parts: Parts) -> DoNotCall:
    return DoNotCall((await parts.live.get()).store)


def _shown(entry: DoNotCallEntry) -> dict[str, Any]:
    return {"number": entry.number, "at": entry.at, "source": entry.source}
