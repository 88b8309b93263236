"""The way in, made in one call: for those who have a configuration, the numbers that are answered, and livekit-server."""

from collections.abc import Iterable

from livekit import api

from config import Settings
from modules.call_queue_manager import connect
from modules.sip_management.ensure import ensure
from modules.sip_management.plan import Change
from modules.sip_management.shelves import Noun
from modules.sip_management.wanted import wanted
from modules.sip_management.ways_in import ROOM_PREFIX

__all__ = ["ROOM_PREFIX", "ensure_inbound"]


async def ensure_inbound(settings: Settings, lkapi: api.LiveKitAPI, numbers: Iterable[str]) -> list[Change]:
    """Make the trunks and the rule for calls that come in equal the configuration, and return them, the rule last."""
    store = await connect(settings.redis_url)
    try:
        wishes = [wish for wish in wanted(settings, numbers).wishes if wish.noun is not Noun.OUTBOUND]
        return await ensure(lkapi, store, wishes, settings.livekit_agent_name, prune=False)
    finally:
        await store.close()
