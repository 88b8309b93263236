"""A way in for one call of ours to ourselves: stored for as long as the call lasts, and recognised by its name.

Its way out is trunks.looped. Both ends are livekit-sip on its own machine, so nothing here can reach a carrier.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from google.protobuf.duration_pb2 import Duration
from livekit import api

from config import Settings
from modules.call_queue_manager import Store, exclusive, keys
from modules.calls.errors import Unavailable
from modules.sip_management.ensure import delete, ensure
from modules.sip_management.plan import Change, Wish
from modules.sip_management.shelves import Noun
from modules.sip_management.trunks import LOOP, LOOP_FROM
from modules.sip_management.ways_in import rule_for

_LIFE_S = 12.0
_RINGING = Duration(seconds=30)


def loop_name(settings: Settings) -> str:
    """Return what the trunk and the rule of the loop are called in livekit-server."""
    return f"{settings.livekit_agent_name}-{LOOP}"


@asynccontextmanager
async def alone(store: Store) -> AsyncIterator[None]:
    """Be the only one who loops a call; one who was killed is waited for, 12 s at most. Raises Unavailable."""
    async with exclusive(store, keys.LOOP_LOCK, wait_s=_LIFE_S + 1, life_s=_LIFE_S) as renew:

        async def renewing() -> None:
            with suppress(Unavailable):
                while True:
                    await asyncio.sleep(_LIFE_S / 4)
                    await renew()

        keeping = asyncio.create_task(renewing(), name="loop lock")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


async def open_loop(settings: Settings, lkapi: api.LiveKitAPI, store: Store, number: str, personality: str) -> list[Change]:
    """Let calls to `number` in from livekit-sip's own machine, for this personality. What was left over is replaced.

    Raises as `ensure` does.
    """
    name = loop_name(settings)
    trunk = api.SIPInboundTrunkInfo(
        numbers=[number],
        allowed_addresses=["127.0.0.1/32"],
        allowed_numbers=[LOOP_FROM],
        ringing_timeout=_RINGING,
        max_call_duration=Duration(seconds=settings.max_call_s),
    )
    # Marked as from a request, so that `trunks ensure`, which removes what no configuration wants, leaves it alone.
    wishes = (
        Wish(Noun.INBOUND, name, trunk, source="request"),
        Wish(Noun.RULE, name, rule_for(settings.livekit_agent_name, personality), trunks=(name,), source="request"),
    )
    return await ensure(lkapi, store, wishes, settings.livekit_agent_name, prune=False)


async def close_loop(settings: Settings, lkapi: api.LiveKitAPI, store: Store) -> list[Change]:
    """Remove all that `open_loop` made, now or in a run that was killed. Raises as `ensure` does."""
    return await delete(lkapi, store, settings.livekit_agent_name, name=loop_name(settings))
