"""Somebody edits a personality while the fleet runs: first well, then badly. The first call is shared out by a split."""

from pathlib import Path

import httpx2
import pytest

from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="session")]
SHORT = "+12025550111"


async def test_an_edit_is_spoken_and_a_broken_one_is_not(caller: Caller, agents: Path) -> None:
    """I edit the greeting and the next call says it; I break the file and calls go on, while /health names file and line."""
    written = (agents / "short_notice.yaml").read_text()
    file = agents / "edited.yaml"
    for name in ("edited", "twin"):
        (agents / f"{name}.yaml").write_text(written)
    (agents / "either.yaml").write_text("name: Either\nsplit: {edited: 1, twin: 1}\n")
    versions = {arm: await _version(caller, arm) for arm in ("edited", "twin")}
    before, arm = await _spoken(caller, "either")
    file.write_text(written.replace("Hello, this is an AI assistant.", "Good day, this is an AI assistant."))
    edited, _ = await _spoken(caller, "edited")
    file.write_text(file.read_text().replace("greeting:", "greting:"))
    broken, _ = await _spoken(caller, "edited")
    async with httpx2.AsyncClient() as stranger:
        health = (await stranger.get(f"{caller.fleet.api_url}/health")).json()
    for mine in ("either", "edited", "twin"):
        (agents / f"{mine}.yaml").unlink()
    assert before[1] == versions[arm]
    assert before[0] == "Hello, this is an AI assistant."
    assert edited[0] == broken[0] == "Good day, this is an AI assistant."
    assert before[1] != edited[1] == broken[1]
    line = next(number for number, text in enumerate(written.splitlines(), 1) if text.startswith("greeting:"))
    problem = {"personality": "edited", "file": "agents/edited.yaml", "line": line, "column": 1}
    split = {"personality": "either", "file": "agents/either.yaml", "line": 2, "column": 9}
    assert (health["status"], health["services"]["personalities"]["problems"]) == ("degraded", [problem, split])


async def _version(caller: Caller, personality: str) -> str:
    return str((await caller.http.get(f"/v1/personalities/{personality}")).json()["sha256"])


async def _spoken(caller: Caller, personality: str) -> tuple[tuple[str, str], str]:
    """Place a call; return its first words with the version it ran with, and its arm."""
    call_id = await caller.place(SHORT, personality=personality)
    ended = await caller.end_of(call_id)
    assert ended["outcome"] == "completed", ended["reason"]
    return (str((await caller.turns(call_id))[0]["text"]), str(ended["personality_hash"])), str(ended["arm"])
