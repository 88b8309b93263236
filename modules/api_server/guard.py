"""Who may do what. Closed by default: an address that is not in PUBLIC answers nobody without a key, whatever route is added.

The guard finds out who is asking before anything else runs; `needs` then asks for the scope a route declares.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api_server.errors import CrossSite, NotSignedIn, ScopeMissing
from modules.api_server.keys import KeyRing, Principal
from modules.api_server.problems import answer
from modules.api_server.session import COOKIE, Sessions
from modules.calls.errors import VoicefleetError

PUBLIC = frozenset({"/", "/docs", "/openapi.json", "/health", "/livez", "/readyz", "/metrics", "/sign-in", "/api/phone/health"})
"""What answers without a key: the page without any data in it, and what supervisors ask. Files below /web/ as well."""
SIGNED = frozenset({"/api/webhook"})
"""What answers whoever signs a request; a key is looked at where one is sent, a browser's cookie never."""
_WEB = "/web/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_KEY = 512

documented = [
    Security(APIKeyHeader(name="X-API-Key", scheme_name="X-API-Key", auto_error=False)),
    Security(HTTPBearer(scheme_name="Bearer", auto_error=False)),
    Security(APIKeyCookie(name=COOKIE, scheme_name="Web session", auto_error=False)),
]
"""Dependencies that only describe the three ways of authentication in the OpenAPI page; the guard does the work."""


class Guard:
    """ASGI middleware: puts the principal into the request, or answers 401 or 403 itself."""

    def __init__(self, app: ASGIApp, ring: KeyRing, sessions: Sessions) -> None:
        self._app = app
        self._ring = ring
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._admit(scope)
            except VoicefleetError as error:
                await answer(error)(scope, receive, send)
                return
        elif scope["type"] != "lifespan":
            return  # no websockets here
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        changes = scope["method"] not in _SAFE
        if scope["path"] in PUBLIC or scope["path"].startswith(_WEB):
            if changes and _from_another_site(headers):
                raise CrossSite("This form was sent from another site.")
            return
        if scope["path"] in SIGNED:
            scope.setdefault("state", {})["principal"] = await self._presented(headers)
            return
        principal = await self._who(headers)
        if principal is None:
            raise NotSignedIn("Send a valid API key as X-API-Key or as Authorization: Bearer.")
        if principal.by_cookie and changes and not _from_our_page(headers):
            raise CrossSite("A signed-in browser may only change things from Voicefleet's own page.")
        scope.setdefault("state", {})["principal"] = principal

    async def _who(self, headers: Headers) -> Principal | None:
        if _presented(headers):
            return await self._presented(headers)
        cookie = _cookie(headers.get("cookie", ""))
        return await self._sessions.read(cookie, datetime.now(UTC)) if cookie else None

    async def _presented(self, headers: Headers) -> Principal | None:
        presented = _presented(headers)
        known = 0 < len(presented) <= _LONGEST_KEY
        return await self._ring.check(presented, datetime.now(UTC)) if known else None


def needs(scope: str) -> Callable[..., Awaitable[Principal]]:
    """Return the dependency of a route that only keys with `scope` may use."""

    async def principal(request: Request) -> Principal:
        found = request.scope.get("state", {}).get("principal")
        if not isinstance(found, Principal):
            raise NotSignedIn("Send a valid API key as X-API-Key or as Authorization: Bearer.")
        if not found.may(scope):
            raise ScopeMissing(f"This key has not the scope {scope}; it has {', '.join(sorted(found.scopes)) or 'none'}.")
        return found

    return principal


Reads = Annotated[Principal, Depends(needs("calls:read"))]
Writes = Annotated[Principal, Depends(needs("calls:write"))]
Edits = Annotated[Principal, Depends(needs("personalities:write"))]
Administers = Annotated[Principal, Depends(needs("admin"))]


def _presented(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")


def _from_our_page(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host", "")


def _from_another_site(headers: Headers) -> bool:
    told = "sec-fetch-site" in headers or "origin" in headers
    return told and not _from_our_page(headers)


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
