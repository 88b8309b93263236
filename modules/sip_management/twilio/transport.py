"""How Twilio's library sends a request: to Twilio, or to TWILIO_API_URL; waiting as long as a 429 says; nothing else again.

Imported only when Twilio is used: the library takes a fifth of a second to load.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient

from modules.sip_management.twilio.errors import TwilioTrouble, trouble, unreachable

Pause = Callable[[float], Awaitable[None]]
_ANSWERS_WITHIN_S = 20
_TRIES = 4
_LONGEST_WAIT_S = 30.0


class Transport(AsyncTwilioHttpClient):  # type: ignore[misc]  # Twilio's package has no types
    """Sends one request at a time. Raises TwilioTrouble where nobody answers, or Twilio refuses."""

    def __init__(self, base_url: str, pause: Pause) -> None:
        super().__init__()
        self._base = urlsplit(base_url)
        self._pause = pause

    async def request(self, method: str, url: str, **how: Any) -> Any:
        """Send it. A 429 was not done, whatever it was (error 20429), so it may be sent again."""
        if auth := how.pop("auth", None):  # the library would use a class that aiohttp is about to drop
            how["headers"] = (how.get("headers") or {}) | {"Authorization": aiohttp.encode_basic_auth(*auth)}
        for tried in range(1, _TRIES + 1):
            answer = await self._once(method, self._moved(url), how)
            if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS or tried == _TRIES:
                break
            await self._pause(_told_to_wait(answer.headers.get("Retry-After", ""), tried))
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise _refused(answer.status_code, answer.text)
        return answer

    async def _once(self, method: str, url: str, how: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                return await super().request(method, url, **how)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from error

    def _moved(self, url: str) -> str:
        if not self._base.netloc:
            return url
        return urlunsplit(urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc))


def _refused(status: int, text: str) -> TwilioTrouble:
    """The error in a body, which is JSON in one of two shapes, or a proxy's page."""
    try:
        told = json.loads(text)
        code = int(told["code"])
        message = str(told.get("message") or told.get("detail") or told.get("title") or "")
    except (ValueError, TypeError, KeyError):
        return trouble(status, None, "an answer that is not Twilio's")
    return trouble(status, code, message)


def _told_to_wait(header: str, tried: int) -> float:
    return min(float(header) if header.isdecimal() else 2.0**tried, _LONGEST_WAIT_S)
