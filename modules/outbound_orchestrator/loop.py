"""The orchestrator's endless jobs: claim and place, offer again, sweep and end. It survives the absence of Redis and LiveKit."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from config import Settings
from modules.call_queue_manager import CallQueue, Held, Workers
from modules.calls.errors import Unavailable
from modules.metrics_logger import get_logger
from modules.outbound_orchestrator.lobby import WAITING_S, Lobby
from modules.outbound_orchestrator.place_call import Placer
from modules.outbound_orchestrator.reaper import ROOMS_EVERY_S, SWEEP_S, Reaper
from modules.outbound_orchestrator.rooms import UNREACHABLE
from modules.outbound_orchestrator.second_offer import LOOK_S, SecondOffer

log = get_logger("outbound_orchestrator")

# An idle orchestrator looks this often; a call accepted meanwhile waits half of it on average.
IDLE_S = 0.05
_COUNT_WORKERS_S = 0.5
_AWAY_S = 1.0


@dataclass(slots=True)
class Capacity:
    """How many calls the fleet can hold now: the operator's limit or the workers' slots, whichever is less."""

    workers: Workers
    most: int
    slots: int = 0

    async def refresh(self) -> None:
        """Count the living workers' slots."""
        self.slots = min(self.most, sum(worker.slots for worker in await self.workers.alive()))


class Orchestrator:
    """Any number of these may run side by side; Redis decides who gets which call."""

    def __init__(
        self, settings: Settings, queue: CallQueue, workers: Workers, placer: Placer, second_offer: SecondOffer, lobby: Lobby,
        reaper: Reaper,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._queue = queue
        self._capacity = Capacity(workers, settings.max_concurrent_calls)
        self._placer = placer
        self._second_offer = second_offer
        self._lobby = lobby
        self._reaper = reaper

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is being placed is finished first."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(_COUNT_WORKERS_S, self._capacity.refresh, stop), name="count workers")
            tasks.create_task(self._every(LOOK_S, self._second_offer.sweep, stop), name="offer again")
            tasks.create_task(self._every(WAITING_S, self._lobby.sweep, stop), name="look into the lobby")
            tasks.create_task(self._every(SWEEP_S, self._reaper.sweep, stop), name="sweep calls")
            tasks.create_task(self._every(ROOMS_EVERY_S, self._reaper.sweep_rooms, stop), name="sweep rooms")
            await self._every(IDLE_S, lambda: self._claim_all(tasks, stop), stop)

    async def _claim_all(self, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        while self._capacity.slots and not stop.is_set():
            await self._placer.ready()
            held = await self._queue.claim(
                limit=self._capacity.slots,
                calls_per_second=self._settings.calls_per_second,
                lease_s=self._settings.place_timeout_s,
            )
            if held is None:
                return
            tasks.create_task(self._place(held), name=f"place {held.call.call_id}")

    async def _place(self, held: Held) -> None:
        try:
            await self._placer.place(held)
        except Unavailable as error:
            log.warning("redis.away", call_id=held.call.call_id, error=error.message)
        except Exception:
            log.exception("call.not_placed", call_id=held.call.call_id)  # its lease runs out, and the reaper takes it up

    async def _every(self, pause_s: float, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        while not stop.is_set():
            wait_s = pause_s
            try:
                await work()
            except Unavailable:
                log.warning("redis.away")
                wait_s = max(pause_s, _AWAY_S)
            except UNREACHABLE as error:
                log.warning("livekit.away", error=type(error).__name__)
                wait_s = max(pause_s, _AWAY_S)
            except Exception:
                log.exception("orchestrator.stumbled")  # one call's odd record must not stop all the others
                wait_s = max(pause_s, _AWAY_S)
            try:
                async with asyncio.timeout(wait_s):
                    await stop.wait()
            except TimeoutError:
                continue
