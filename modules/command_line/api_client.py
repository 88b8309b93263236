"""The API as the commands use it: one method per address, every failure one of errors.py. The only HTTP in this package.

Where the API is and which key opens it come from the same settings as the API's own, unless --api-url says otherwise.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from config import Settings
from modules.command_line.errors import Refused, Unreachable

_ANSWER_S = 10.0
# The API sends a comment every five seconds; a stream that says nothing for longer is broken.
_SILENCE_S = 20.0
_AWAY_S = 30.0
_AGAIN_S = 0.5
# A model reads a whole conversation before it answers.
_ANSWERS_S = 20.0
ENDED = "call.ended"


class ApiAddress(BaseSettings):
    """The three settings that a command needs, read as `Settings` reads them, without asking for the rest."""

    model_config = Settings.model_config

    api_host: str = "127.0.0.1"
    api_port: int = 8000
    api_key: SecretStr = SecretStr("")

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        host = "127.0.0.1" if self.api_host in ("0.0.0.0", "::", "") else self.api_host
        return f"http://{host}:{self.api_port}"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened to a call."""

    id: str
    type: str
    at: datetime
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "type": self.type, "at": self.at.isoformat(), "data": self.data}


class ApiClient:
    """One connection to the API. Use it as an async context manager."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        headers = {"X-API-Key": key} if key else {}
        self._http = httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=_ANSWER_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        await self._http.aclose()

    async def place(self, body: dict[str, Any]) -> dict[str, Any]:
        """Queue a call. A lost answer is asked for once more under the same Idempotency-Key, so it cannot be queued twice."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            return await self._ask("POST", "/v1/calls", json=body, headers=headers)
        except Unreachable:
            return await self._ask("POST", "/v1/calls", json=body, headers=headers)

    async def call(self, call_id: str) -> dict[str, Any]:
        return await self._ask("GET", f"/v1/calls/{call_id}")

    async def calls(self, **filters: Any) -> dict[str, Any]:
        return await self._ask("GET", "/v1/calls", params={name: value for name, value in filters.items() if value is not None})

    async def stats(self, **filters: Any) -> dict[str, Any]:
        return await self._ask("GET", "/v1/stats", params={name: value for name, value in filters.items() if value is not None})

    async def transcript(self, call_id: str) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = (await self._ask("GET", f"/v1/calls/{call_id}/transcript"))["turns"]
        return turns

    async def cancel(self, call_id: str, reason: str = "") -> dict[str, Any]:
        return await self._ask("POST", f"/v1/calls/{call_id}/cancel", json={"reason": reason})

    async def keys(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/keys")

    async def make_key(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._ask("POST", "/v1/keys", json=body)

    async def revoke_key(self, key_id: str) -> dict[str, Any]:
        return await self._ask("DELETE", f"/v1/keys/{key_id}")

    async def do_not_call(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/do-not-call")

    async def never_call(self, number: str) -> dict[str, Any]:
        return await self._ask("PUT", f"/v1/do-not-call/{quote(number, safe='')}")

    async def call_again(self, number: str) -> dict[str, Any]:
        return await self._ask("DELETE", f"/v1/do-not-call/{quote(number, safe='')}")

    async def personalities(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/personalities")

    async def personality(self, personality_id: str) -> tuple[str, str]:
        """Return a personality's own file as it is, and the ETag of that version."""
        answer = await self._send("GET", f"/v1/personalities/{quote(personality_id, safe='')}")
        return answer.json()["text"] or "", answer.headers.get("ETag", "")

    async def save_personality(self, personality_id: str, text: str, etag: str) -> None:
        """Save a personality's file in place of the version `etag`, or, with "", as a new one."""
        headers = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        await self._send("PUT", f"/v1/personalities/{quote(personality_id, safe='')}", json={"text": text}, headers=headers)

    async def outcome(self, call_id: str) -> dict[str, Any]:
        """Return a call that has ended, with its answers; where these take longer than _ANSWERS_S, without them."""
        until = asyncio.get_running_loop().time() + _ANSWERS_S
        while True:
            found = await self.call(call_id)
            waiting = (found.get("extraction") or {}).get("status") == "waiting"
            if not waiting or asyncio.get_running_loop().time() > until:
                return found
            await asyncio.sleep(_AGAIN_S)

    async def follow(self, call_id: str) -> AsyncIterator[LiveEvent]:
        """Yield everything that has happened and happens to a call, each once, until it has ended, across disconnects."""
        after, seen_at = "0", asyncio.get_running_loop().time()
        while True:
            try:
                async for event in self._events(call_id, after):
                    after, seen_at = event.id, asyncio.get_running_loop().time()
                    yield event
                    if event.type == ENDED:
                        return
                if (await self.call(call_id))["state"] == "ended":
                    return  # its events are gone or were all seen
            except (httpx2.TransportError, Unreachable) as error:
                if asyncio.get_running_loop().time() - seen_at > _AWAY_S:
                    raise self._unreachable(error) from error
            except Refused as error:
                if error.status != 503 or asyncio.get_running_loop().time() - seen_at > _AWAY_S:
                    raise
            await asyncio.sleep(_AGAIN_S)

    async def _events(self, call_id: str, after: str) -> AsyncIterator[LiveEvent]:
        headers = {"Last-Event-ID": after} if after != "0" else {}
        timeout = httpx2.Timeout(_ANSWER_S, read=_SILENCE_S)
        async with self._http.sse(f"/v1/calls/{call_id}/events", headers=headers, timeout=timeout) as source:
            if source.response.is_error:
                await source.response.aread()
                raise _refused(source.response)
            async for sent in source:
                if sent.data:
                    told: Any = sent.json()
                    yield LiveEvent(told["id"], told["type"], datetime.fromisoformat(told["at"]), told["data"])

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = await self._send(method, path, **request)
        found: dict[str, Any] = response.json() if response.content else {}
        return found

    async def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        try:
            response = await self._http.request(method, path, **request)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise _refused(response)
        return response

    def _unreachable(self, error: Exception) -> Unreachable:
        why = "does not answer in time" if isinstance(error, httpx2.TimeoutException) else "does not answer"
        return Unreachable(f"the API at {self.url} {why}", "./voicefleet up starts the fleet here; --api-url names another")


def _refused(response: httpx2.Response) -> Refused:
    try:
        problem = response.json()
        status, code, detail = response.status_code, str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return Refused(response.status_code, "http", f"the API answered {response.status_code}")
    return Refused(status, code, detail, _next_step(status, code), problem.get("errors") or ())


def _next_step(status: int, code: str) -> str:
    if status == 401:
        return "put the right API_KEY into the environment or .env; ./voicefleet setup makes a first one"
    if status == 403 and code == "forbidden":
        return "use a key with that scope: ./voicefleet keys create NAME --scope …"
    if code == "unknown_personality":
        return "./voicefleet call --help shows how to name one; agents/ holds one file per personality"
    if code == "changed_meanwhile":
        return "read it again, put your change into that, and save"
    return "./voicefleet calls lists the known ones" if status == 404 else ""
