"""One log line and one measurement per request: method, the route's template, status, duration. Never the path or the query."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api_server.metrics import Metrics
from modules.metrics_logger import get_logger

log = get_logger(__name__)
_QUIET = frozenset({"/livez", "/readyz", "/health", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """ASGI middleware, outermost: also sees what the guard and the body cap refuse."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def noticing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noticing)
        finally:
            self._tell(scope, status, time.monotonic() - started)

    def _tell(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        principal = scope.get("state", {}).get("principal")
        call_id = scope.get("path_params", {}).get("call_id")
        known = {"call_id": call_id} if call_id and status < 400 else {}
        write = log.debug if route in _QUIET and status < 400 else log.info
        write(
            "http.request", method=method, route=route, status=status, duration_ms=round(duration_s * 1000, 1),
            key_id=getattr(principal, "key_id", None), **known,
        )  # fmt: skip
        self._metrics.answered(method, route, status, duration_s)
