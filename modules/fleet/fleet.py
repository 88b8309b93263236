"""The whole fleet as processes of one machine.

    async with Fleet(Plan(env={"MAX_CONCURRENT_CALLS": "4"}, workers=2)) as fleet:
        ...  # fleet.api_url, fleet.settings, await fleet.kill("outbound_orchestrator")

How a part is started is in parts.py, how parts are kept running in supervisor.py. No call is placed here.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from config import Settings
from modules.fleet import parts, surroundings
from modules.fleet.errors import FleetError
from modules.fleet.keeper import Keeper
from modules.fleet.last_words import last_words
from modules.fleet.part import Part
from modules.fleet.plan import (
    API,
    CARRIER,
    LIVEKIT,
    ORCHESTRATOR,
    REDIS,
    SIP,
    WORKER,
    Ground,
    Plan,
    configured_ground,
    throwaway_ground,
)
from modules.fleet.ports import Ports
from modules.fleet.supervisor import Supervisor, Tell
from modules.metrics_logger import get_logger

log = get_logger("fleet")
T = TypeVar("T")


class Fleet:
    """A running fleet. Use it as an async context manager; leaving it stops everything it started."""

    def __init__(self, plan: Plan, tell: Tell = lambda _: None) -> None:
        self._plan = plan
        self._tell = tell
        self._running: tuple[Ground, Supervisor] | None = None
        self._own_folder: Path | None = None

    @property
    def settings(self) -> Settings:
        """The settings that every part was given."""
        return self._ground.settings

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that every part was given."""
        return self._ground.env

    @property
    def api_url(self) -> str:
        return parts.api_url(self._ground)

    @property
    def ledger_url(self) -> str:
        """Where the simulated carrier tells what it was asked to dial."""
        return f"{self.settings.sip_api_url}/ledger"

    @property
    def data_dir(self) -> Path:
        return self._ground.data_dir

    @property
    def logs(self) -> Path:
        """One log per part, named after it."""
        return self._ground.data_dir / "log"

    @property
    def parts(self) -> dict[str, Keeper]:
        """The parts that run, in the order of their start."""
        return dict(self._supervisor.keepers)

    def part(self, name: str) -> Keeper:
        """Return one part: its `pid`, `log`, `starts`."""
        return self._supervisor.keepers[name]

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException as error:
            await self._stop(error)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        await self._stop(error)

    async def kill(self, name: str) -> None:
        """SIGKILL a part's process as a crash would; it is started again. Returns when it is dead."""
        await self.part(name).kill()

    async def ready(self, name: str) -> None:
        """Wait until a part is ready (again). Raises PartFailed."""
        await self.part(name).ready()

    async def halt(self, name: str, *, hard: bool = False) -> None:
        """Stop a part and leave it stopped; `hard` is SIGKILL."""
        await self.part(name).halt(hard=hard)

    async def resume(self, name: str) -> None:
        """Start a halted part and wait until it is ready."""
        self.part(name).start()
        await self.part(name).ready()

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` while the fleet lives; raises PartFailed if a part is given up meanwhile."""
        return await self._supervisor.during(work)

    def keep_folder(self) -> None:
        """Leave the fleet's folder, with its logs, where it is."""
        self._own_folder = None

    def hurry(self) -> None:
        """Let nothing take its time any more: what is being stopped is killed."""
        if self._running:
            self._supervisor.hurry()

    @property
    def _ground(self) -> Ground:
        return self._known[0]

    @property
    def _supervisor(self) -> Supervisor:
        return self._known[1]

    @property
    def _known(self) -> tuple[Ground, Supervisor]:
        if self._running is None:
            raise FleetError("the fleet has not been started")
        return self._running

    async def _start(self) -> None:
        started, ports = time.monotonic(), Ports()
        ground = self._find_ground(ports)
        names = await surroundings.missing(ground, self._plan)
        self._running = ground, Supervisor(ground.data_dir / "log", self._tell)
        await self._supervisor.start(self._parts(names, ports))
        log.info("fleet.started", parts=list(self.parts), took_s=round(time.monotonic() - started, 1))

    async def _stop(self, error: BaseException | None) -> None:
        """Stop everything. Where a part failed, its log is still needed."""
        if self._running:
            await self._supervisor.stop()
        if isinstance(error, Exception) and self._running and self._own_folder:
            for line in last_words(self.logs):
                log.warning("fleet.last_words", said=line)
        if self._own_folder and not isinstance(error, FleetError):
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _find_ground(self, ports: Ports) -> Ground:
        if not self._plan.throwaway:
            return configured_ground(self._plan)
        folder = self._plan.data_dir
        if folder is None:
            folder = self._own_folder = Path(tempfile.mkdtemp(prefix="voicefleet-"))
        folder.mkdir(parents=True, exist_ok=True)
        return throwaway_ground(self._plan, folder.resolve(), ports)

    def _parts(self, names: tuple[str, ...], ports: Ports) -> list[Part]:
        ground, plan = self._ground, self._plan
        makers: dict[str, Callable[[], list[Part]]] = {
            REDIS: lambda: [parts.redis(ground)],
            LIVEKIT: lambda: [parts.livekit(ground, plan, ports)],
            SIP: lambda: [parts.sip(ground, plan, ports)],
            CARRIER: lambda: [parts.carrier(ground)],
            API: lambda: [parts.api(ground)],
            ORCHESTRATOR: lambda: parts.orchestrators(ground, plan),
            WORKER: lambda: parts.workers(ground, plan, ports),
        }
        return [part for name, make in makers.items() if name in names for part in make()]
