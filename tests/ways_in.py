"""The way in for calls, made as the product makes it: what the configuration wants, stored in livekit-server."""

from collections.abc import Iterable

from livekit import api

from config import Settings
from modules.call_queue_manager import connect
from modules.sip_management.ensure import ensure
from modules.sip_management.plan import Change
from modules.sip_management.wanted import wanted


async def let_in(settings: Settings, lkapi: api.LiveKitAPI, numbers: Iterable[str]) -> list[Change]:
    """Let calls to these numbers of ours in; return what was done, the rule last."""
    store = await connect(settings.redis_url)
    try:
        return await ensure(lkapi, store, wanted(settings, numbers).wishes, settings.livekit_agent_name)
    finally:
        await store.close()
