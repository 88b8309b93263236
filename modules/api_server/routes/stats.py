"""/v1/stats: personalities and the arms of splits side by side, over the calls that history holds."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from modules.api_server.guard import Reads
from modules.api_server.parts import Using
from modules.api_server.schemas import MaybeName, Moment
from modules.call_history import Filters
from modules.calls import Direction

router = APIRouter(tags=["calls"])


@router.get("/v1/stats")
async def stats(
    _: Reads, parts: Using, personality: MaybeName | None = None, arm: MaybeName | None = None,
    direction: Direction | None = None, trunk: MaybeName | None = None, simulated: bool | None = None,
    created_from: Moment | None = None, created_before: Moment | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Compare personalities and arms: outcomes, shares answered and completed, talk time, turns, latency, each with its count."""
    filters = Filters(
        personality=personality, arm=arm, direction=direction, trunk=trunk, simulated=simulated,
        created_from=created_from, created_before=created_before,
    )  # fmt: skip
    found = await (await parts.past.get()).stats.compare(filters)
    return {"created_from": created_from, "created_before": created_before, "rows": [asdict(row) for row in found]}
