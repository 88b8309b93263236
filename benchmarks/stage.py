"""Where the two play: a fleet of its own, the peer's worker beside it, and calls by either, as the carrier's ledger saw them.

Both use the same livekit-server, simulated carrier, scenarios and speech. What is compared is the benchmark's own business.
"""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from livekit import api

from benchmarks.peer_worker import NAME, PeerJob
from config import Settings
from modules.fleet import Fleet, Plan
from modules.fleet.part import Part
from modules.fleet.supervisor import Supervisor
from modules.setup.places import PROJECT

Tell = Callable[[str], None]
_CALL_WITHIN_S = 150.0
_ASK_EVERY_S = 0.2
# No pacing and no limit in the way: one call at a time is what is measured.
_ENV = {"CALLS_PER_SECOND": "100", "MAX_CONCURRENT_CALLS": "4", "LOG_LEVEL": "WARNING"}


class BenchmarkFailed(Exception):
    """A call did not go as a measurement needs it; there is then no figure."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as the phone network saw it, and the moment at which it was asked for (same monotonic clock)."""

    asked_s: float
    dial: dict[str, Any]

    @property
    def dialled_after_ms(self) -> float:
        return 1000 * (float(self.dial["arrived_monotonic_s"]) - self.asked_s)

    @property
    def first_word_ms(self) -> float:
        if self.dial["first_word_ms"] is None:
            raise BenchmarkFailed(f"the agent never spoke: {self.dial}")
        return float(self.dial["first_word_ms"])

    @property
    def turns_ms(self) -> list[float]:
        if not self.dial["turns_ms"]:
            raise BenchmarkFailed(f"the agent never answered: {self.dial}")
        return [float(turn) for turn in self.dial["turns_ms"]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A running fleet, and the peer. Use `open_stage`."""

    settings: Settings
    ledger_url: str
    http: httpx2.AsyncClient
    livekit: api.LiveKitAPI
    carrier: api.LiveKitAPI
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def ours(self, number: str, personality: str) -> Seen:
        """Place a call through the API and return it when it has ended."""
        asked = time.monotonic()
        answer = await self.http.post("/v1/calls", json={"to_number": number, "personality": personality, "max_attempts": 1})
        if answer.status_code != 202:
            raise BenchmarkFailed(f"the API refused the call: {answer.text}")
        call_id = answer.json()["call_id"]
        seen = Seen(asked, await self._end_of(lambda dial: dial["call_id"] == call_id))
        await _until(lambda: self._has_ended(call_id))
        return seen

    async def peer(self, job: PeerJob) -> Seen:
        """Send the peer into a room of its own and return its call when it has ended."""
        room, asked = self.new_room(), time.monotonic()
        dispatch = api.RoomAgentDispatch(agent_name=NAME, metadata=job.to_json())
        await self.livekit.room.create_room(api.CreateRoomRequest(name=room, agents=[dispatch]))
        seen = Seen(asked, await self._end_of(lambda dial: dial["room"] == room))
        await self.livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        return seen

    async def bare(self, number: str) -> Seen:
        """Send one bare dial request into a room that is there already; no agent, no queue."""
        room = self.new_room()
        await self.livekit.room.create_room(api.CreateRoomRequest(name=room))
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id="ST_simulated", sip_call_to=number, room_name=room, participant_identity="phone"
        )
        asked = time.monotonic()
        await self.carrier.sip.create_sip_participant(request)
        seen = Seen(asked, await self._end_of(lambda dial: dial["room"] == room))
        await self.livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        return seen

    def new_room(self) -> str:
        return f"benchmark-{next(self._numbers)}"

    async def _end_of(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        async def ended() -> bool:
            dials = (await self.http.get(self.ledger_url)).json()
            found[:] = [dial for dial in dials if is_it(dial) and dial["ended_at"]]
            return bool(found)

        await _until(ended)
        return found[0]

    async def _has_ended(self, call_id: str) -> bool:
        return bool((await self.http.get(f"/v1/calls/{call_id}")).json()["state"] == "ended")


@asynccontextmanager
async def open_stage(tell: Tell) -> AsyncIterator[Stage]:
    """A fleet and the peer, both ready; nothing of them is left afterwards."""
    async with AsyncExitStack() as closing:
        tell("starting a fleet and the peer's worker")
        fleet = await closing.enter_async_context(Fleet(Plan(env=_ENV)))
        beside = Supervisor(fleet.logs)
        closing.push_async_callback(beside.stop)
        await beside.start([_peer(fleet)])
        settings, key = fleet.settings, fleet.settings.api_key.get_secret_value()
        http = httpx2.AsyncClient(base_url=fleet.api_url, headers={"X-API-Key": key}, timeout=10, trust_env=False)
        livekit, carrier = (_api(settings, url) for url in (settings.http_url, settings.sip_api_url))
        for client in (http, livekit, carrier):
            closing.push_async_callback(client.aclose)
        yield Stage(settings, fleet.ledger_url, http, livekit, carrier)


def _api(settings: Settings, url: str) -> api.LiveKitAPI:
    return api.LiveKitAPI(url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value(), failover=False)


def _peer(fleet: Fleet) -> Part:
    settings, ready = fleet.settings, fleet.data_dir / "peer.ready"
    outer = {name: value for name, value in os.environ.items() if not name.startswith("LIVEKIT_")}
    env = {
        "LIVEKIT_URL": settings.livekit_url,
        "LIVEKIT_API_KEY": settings.livekit_api_key,
        "LIVEKIT_API_SECRET": settings.livekit_api_secret.get_secret_value(),
        "PEER_SIP_API_URL": settings.sip_api_url,
        "PEER_PROMPTS_DIR": str(settings.prompts_dir),
        "PEER_SCENARIOS_DIR": str(settings.scenarios_dir),
        "PEER_READY_FILE": str(ready),
        "PYTHONPATH": str(PROJECT),
    }

    async def registered() -> bool:
        return ready.exists()

    program = Path(__file__).with_name("peer_worker.py")
    return Part(name=NAME, command=(sys.executable, str(program)), env=outer | env, cwd=fleet.data_dir, ready=registered)


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    try:
        async with asyncio.timeout(_CALL_WITHIN_S):
            while not await true():  # noqa: ASYNC110 - what is waited for lives in other processes
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError:
        raise BenchmarkFailed(f"a call did not end within {_CALL_WITHIN_S:g} s") from None
