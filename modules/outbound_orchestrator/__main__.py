"""`python -m modules.outbound_orchestrator`: open, run, drain, close. A second signal forces."""

import asyncio
import contextlib
import os
import signal

from livekit import api

from config import load, policy
from modules.call_queue_manager import CallQueue, FrontDoor, Records, Store, Workers, connect, make_durable
from modules.calls.errors import Unavailable
from modules.metrics_logger import configure, get_logger
from modules.outbound_orchestrator.lobby import Lobby
from modules.outbound_orchestrator.loop import Orchestrator
from modules.outbound_orchestrator.place_call import Placer
from modules.outbound_orchestrator.reaper import Reaper
from modules.outbound_orchestrator.rooms import Rooms
from modules.outbound_orchestrator.second_offer import SecondOffer

log = get_logger("outbound_orchestrator")
_AGAIN_S = 1.0


async def main() -> None:
    settings = load()
    configure(settings.log_format, settings.log_level)
    stop = asyncio.Event()
    _on_signals(stop)
    async with contextlib.AsyncExitStack() as closing:
        store = await _redis(settings.redis_url)
        closing.push_async_callback(store.close)
        lkapi = api.LiveKitAPI(settings.http_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
        closing.push_async_callback(lkapi.aclose)
        await make_durable(store)
        queue = CallQueue(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        records = Records(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        rooms = Rooms(lkapi, settings.livekit_agent_name)
        placer = Placer(queue, records, rooms, policy(settings))
        log.info("orchestrator.started")
        second_offer = SecondOffer(queue, records, rooms, within_s=settings.place_timeout_s)
        reaper = Reaper(queue, records, rooms)
        lobby = Lobby(FrontDoor(store, lease_s=settings.lease_s), records, rooms, settings)
        await Orchestrator(settings, queue, Workers(store), placer, second_offer, lobby, reaper).run(stop)
    log.info("orchestrator.stopped")


async def _redis(url: str) -> Store:
    while True:
        try:
            return await connect(url)
        except Unavailable as error:
            log.warning("redis.away", error=error.message)
            await asyncio.sleep(_AGAIN_S)


def _on_signals(stop: asyncio.Event) -> None:
    def heard() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, heard)


if __name__ == "__main__":
    asyncio.run(main())
