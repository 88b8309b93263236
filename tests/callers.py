"""Somebody who uses the fleet from outside: places calls over HTTP, waits for their end, and asks the carrier what it saw."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2

from modules.fleet import Fleet

ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Caller:
    """A developer with an API key."""

    http: httpx2.AsyncClient
    fleet: Fleet

    async def place(self, number: str, **body: Any) -> str:
        """Place a call and return its id."""
        key = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        answer = await self.http.post("/v1/calls", json={"to_number": number} | body, headers=key)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["call_id"])

    async def show(self, call_id: str) -> dict[str, Any]:
        """Return a call as the API shows it."""
        answer = await self.http.get(f"/v1/calls/{call_id}")
        answer.raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    async def state_is(self, call_id: str, state: str, within_s: float = 30, every_s: float = 0.1) -> dict[str, Any]:
        """Wait until a call is in `state` (or has ended) and return it."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    call = await self.show(call_id)
                except httpx2.HTTPError:
                    call = {"state": "unknown"}
                if call["state"] in (state, ENDED):
                    return call
                await asyncio.sleep(every_s)

    async def end_of(self, call_id: str, within_s: float = 90) -> dict[str, Any]:
        """Wait until a call has ended and return it."""
        return await self.state_is(call_id, ENDED, within_s, every_s=0.5)  # fifty that ask ten times a second starve the calls

    async def turns(self, call_id: str) -> list[dict[str, Any]]:
        """Return what was said."""
        answer = await self.http.get(f"/v1/calls/{call_id}/transcript")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["turns"]
        return found

    async def rings(self, call_id: str, within_s: float = 30) -> None:
        """Wait until the carrier has been asked to ring for a call."""
        async with asyncio.timeout(within_s):
            while not await self.dials(call_id):  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.05)

    async def hung_up(self, call_id: str, within_s: float = 10) -> dict[str, Any]:
        """Wait until the carrier has ended a call's dial; return that dial."""
        async with asyncio.timeout(within_s):
            while not (found := await self.dials(call_id)) or not found[-1]["ended_at"]:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.1)
        return found[-1]

    async def dials(self, call_id: str | None = None) -> list[dict[str, Any]]:
        """Return the dial requests that the carrier counted."""
        async with httpx2.AsyncClient() as client:
            answer = await client.get(self.fleet.ledger_url, params={"call_id": call_id} if call_id else {})
        counted: list[dict[str, Any]] = answer.json()
        return counted


def caller_of(fleet: Fleet) -> Caller:
    """Return somebody who uses this fleet."""
    key = fleet.settings.api_key.get_secret_value()
    return Caller(httpx2.AsyncClient(base_url=fleet.api_url, headers={"X-API-Key": key}, timeout=10), fleet)
