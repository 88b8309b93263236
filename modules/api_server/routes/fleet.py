"""What the fleet has: trunks (no secrets), the queue and its stop switch. Personalities have a file of their own."""

from typing import Any

from fastapi import APIRouter

from modules.api_server.guard import Administers, Reads
from modules.api_server.parts import Using

router = APIRouter(tags=["fleet"])


@router.get("/v1/trunks")
async def trunks(_: Reads, parts: Using) -> dict[str, Any]:
    """List the trunks a call may name; the first is used where a call names none."""
    return {
        "trunks": [
            {"name": trunk.name, "simulated": trunk.simulated, "from_number": trunk.from_number, "default": position == 0}
            for position, trunk in enumerate(parts.trunks.values())
        ]
    }


@router.get("/v1/queue")
async def queue(_: Reads, parts: Using) -> dict[str, Any]:
    """Say how many calls are ready, scheduled and held by a worker, and whether dialling is paused."""
    live = await parts.live.get()
    return {**await live.queue.waiting(), "paused": await live.queue.paused()}


@router.post("/v1/queue/pause")
async def pause(_: Administers, parts: Using) -> dict[str, bool]:
    """Stop dialling for the whole fleet. What is queued stays queued; what is being said goes on."""
    await (await parts.live.get()).queue.pause(True)
    return {"paused": True}


@router.post("/v1/queue/resume")
async def resume(_: Administers, parts: Using) -> dict[str, bool]:
    """Let the fleet dial again."""
    await (await parts.live.get()).queue.pause(False)
    return {"paused": False}

