"""Any number of parts as one: started in order, kept running, stopped the other way round, all of them or none.

Which parts a fleet has is fleet.py's and parts.py's business; one part's life is keeper.py's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from modules.fleet.errors import PartFailed
from modules.fleet.keeper import Keeper
from modules.fleet.part import Part
from modules.fleet.process import Guard
from modules.metrics_logger import get_logger

log = get_logger("fleet")
T = TypeVar("T")
Tell = Callable[[str], None]


class Supervisor:
    """The parts that run, by name, in the order of their start."""

    def __init__(self, logs: Path, tell: Tell = lambda _: None) -> None:
        self.keepers: dict[str, Keeper] = {}
        self._logs = logs
        self._tell = tell
        self._guard = Guard()
        self._given_up: asyncio.Future[PartFailed] = asyncio.get_running_loop().create_future()
        self._hurry = asyncio.Event()

    async def start(self, parts: list[Part]) -> None:
        """Start the parts and wait until all are ready. Raises PartFailed; what had been started then still runs."""
        await self._guard.open()
        for part in parts:
            self._tell(f"starting {part.name}")
            keeper = self.keepers[part.name] = Keeper(part, self._logs, self._guard, self._gave_up)
            keeper.start()
            if part.others_wait:
                await keeper.ready()
        for name, keeper in self.keepers.items():
            await keeper.ready()
            self._tell(f"{name} is ready")

    async def stop(self) -> None:
        """Stop the last part, whose work may need all others, then together those that nobody waited for, then the ground.

        Nothing is left of them.
        """
        order = list(reversed(self.keepers.values()))
        loose = [keeper for keeper in order if not keeper.part.others_wait]
        for together in (loose[:1], loose[1:], *([keeper] for keeper in order if keeper.part.others_wait)):
            for keeper in together:
                self._tell(f"stopping {keeper.part.name}")
            await asyncio.gather(*(self._end(keeper) for keeper in together))
        await self._guard.close()

    def hurry(self) -> None:
        """Let nothing take its time any more: what is being stopped is killed."""
        self._hurry.set()

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` while all parts live; raises PartFailed if one is given up meanwhile."""
        working = asyncio.create_task(work, name="work of the fleet's owner")
        try:
            either: set[asyncio.Future[Any]] = {working, self._given_up}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._given_up.done():
                raise self._given_up.result()
            return await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    def _gave_up(self, failure: PartFailed) -> None:
        log.error("part.given_up", part=failure.part, why=failure.message)
        if not self._given_up.done():
            self._given_up.set_result(failure)

    async def _end(self, keeper: Keeper) -> None:
        ending = asyncio.create_task(keeper.end(), name=f"end {keeper.part.name}")
        hurrying = asyncio.create_task(self._hurry.wait(), name="hurry")
        await asyncio.wait({ending, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            ending.cancel()
            await keeper.end(within_s=0)
        hurrying.cancel()
        (outcome,) = await asyncio.gather(ending, return_exceptions=True)
        if outcome is not True:
            log.warning("part.had_to_be_killed", part=keeper.part.name)
