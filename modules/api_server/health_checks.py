"""How is each part? Asked side by side, each with a time limit, and at most once a second however often somebody asks."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx2

from modules.api_server.parts import Parts
from modules.calls.errors import VoicefleetError
from modules.sip_management import Trunk
from modules.strict_yaml import YamlError

LIMIT_S = 2.0
FRESH_S = 1.0
Service = dict[str, Any]


class Health:
    """Asks the parts."""

    def __init__(self, parts: Parts, http: httpx2.AsyncClient) -> None:
        self._parts = parts
        self._http = http
        self._asking = asyncio.Lock()
        self._known: tuple[float, dict[str, Service]] | None = None

    async def all(self) -> dict[str, Service]:
        """Return every part by name with `status` "up", "degraded" or "down" and what is known about it."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if self._known is None or now - self._known[0] > FRESH_S:
                self._known = now, await self._ask()
            return self._known[1]

    async def needed(self) -> dict[str, Service]:
        """Return only what accepting a call needs."""
        redis, database = await asyncio.gather(_within(self._redis), _within(self._database))
        return {"redis": redis, "database": database}

    async def _ask(self) -> dict[str, Service]:
        trunks = self._parts.trunks.values()
        checks: dict[str, Callable[[], Awaitable[Service]]] = {
            "redis": self._redis,
            "database": self._database,
            "livekit": self._livekit,
            "workers": self._workers,
            "personalities": self._personalities,
            **{f"sip_trunk_{trunk.name}": partial(self._trunk, trunk) for trunk in trunks},
        }
        if not trunks:
            checks["sip_trunk"] = _no_trunk
        if self._parts.trunk_book.problem:
            checks["trunks_file"] = self._trunks_file
        found = await asyncio.gather(*(_within(check) for check in checks.values()))
        return dict(zip(checks, found, strict=True))

    async def _redis(self) -> Service:
        live = await self._parts.live.get()
        await live.durable()
        return {"status": "up", "durable": True, "calls": await live.queue.waiting(), "paused": await live.queue.paused()}

    async def _database(self) -> Service:
        await (await self._parts.past.get()).history.ping()
        return {"status": "up"}

    async def _livekit(self) -> Service:
        return await self._answers(self._parts.settings.http_url)

    async def _trunk(self, trunk: Trunk) -> Service:
        return await self._answers(trunk.sip_api_url) | {"simulated": trunk.simulated}

    async def _trunks_file(self) -> Service:
        problem, file = self._parts.trunk_book.problem, self._parts.settings.sip_trunks_file.name
        reason = f"{file} cannot be used as it is; the last good version goes on being used."
        return {"status": "degraded", "reason": reason, "file": file, "line": problem.line if problem else 0}

    async def _answers(self, url: str) -> Service:
        try:
            response = await self._http.get(url)
        except httpx2.HTTPError as error:
            return {"status": "down", "reason": f"It does not answer ({type(error).__name__})."}
        if response.status_code >= 500:
            return {"status": "down", "reason": f"It answers {response.status_code}."}
        return {"status": "up"}

    async def _workers(self) -> Service:
        alive = await (await self._parts.live.get()).workers.alive()
        told = {
            "count": len(alive),
            "slots": sum(worker.slots for worker in alive),
            "active": sum(worker.active for worker in alive),
        }
        if not alive:
            return {"status": "down", "reason": "No worker has a heartbeat; calls wait in the queue.", **told}
        return {"status": "up", **told}


    async def _personalities(self) -> Service:
        """Say where files are broken, not what is in them: this answers without a key."""
        known, default = self._parts.personalities, self._parts.settings.default_personality
        problems = known.problems()
        told: Service = {"count": len(known.ids()), "problems": [_place(name, error) for name, error in problems.items()]}
        unusable = [name for name in problems if not known.usable(name)]
        if default in unusable or default not in known.ids():
            return {"status": "down", "reason": f"The default personality '{default}' cannot be used.", **told}
        return {"status": "degraded" if problems else "up", **told}


def _place(personality: str, error: YamlError) -> Service:
    where: Service = {"file": f"{error.path.parent.name}/{error.path.name}", "line": error.line, "column": error.column or None}
    return {"personality": personality, **where}


async def _no_trunk() -> Service:
    return {"status": "down", "reason": "No trunk is configured: set SIP_TRUNK_HOSTNAME or SIP_API_URL."}


async def _within(check: Callable[[], Awaitable[Service]]) -> Service:
    try:
        async with asyncio.timeout(LIMIT_S):
            return await check()
    except VoicefleetError as error:
        return {"status": "down", "reason": error.message}
    except TimeoutError:
        return {"status": "down", "reason": f"It did not answer within {LIMIT_S:g} s."}
