"""/health names every part and how it is; /livez says this process runs; /readyz whether it can accept calls; /metrics."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from modules.api_server.health_checks import Health
from modules.api_server.parts import Using
from modules.calls.errors import Unavailable

router = APIRouter(tags=["health"])


@router.get("/health")
@router.get("/api/phone/health", summary="Health, under an older address")
async def health(request: Request) -> JSONResponse:
    """Every part by name. 503 when one is down; "degraded" with 200 when all work but something needs a look."""
    checks: Health = request.app.state.health
    return _answer(await checks.all())


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process runs and answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Redis and the database answer, and Redis writes to disk: calls can be accepted."""
    checks: Health = request.app.state.health
    return _answer(await checks.needed())


@router.get("/metrics")
async def metrics(request: Request, parts: Using) -> Response:
    """Figures in Prometheus's text format."""
    waiting, workers = None, (0, 0, 0)
    try:
        live = await parts.live.get()
        alive = await live.workers.alive()
        workers = (len(alive), sum(worker.slots for worker in alive), sum(worker.active for worker in alive))
        waiting = await live.queue.waiting()
    except Unavailable:
        pass
    request.app.state.metrics.fleet(waiting, workers, request.app.state.fan_out.listeners)
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _answer(services: dict[str, dict[str, Any]]) -> JSONResponse:
    found = {service["status"] for service in services.values()}
    return JSONResponse(
        {"status": "ok" if found <= {"up"} else "degraded", "services": services},
        503 if "down" in found else 200,
        headers={"Cache-Control": "no-store"},
    )
