"""A/B over HTTP: a call to a split has an arm, every arm must be able to speak it, and /v1/stats compares them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI

from config import Settings
from modules.call_queue_manager import CallQueue, Records
from modules.calls import Event, Report
from tests.api.conftest import NUMBER

pytestmark = pytest.mark.redis
SPLIT = "name: Two ways to greet\nsplit: {front_desk: 1, second_desk: 1}\n"
Placed = Callable[[], Awaitable[dict[str, str]]]


@pytest.fixture
async def placed(api: httpx2.AsyncClient, api_settings: Settings) -> AsyncIterator[Placed]:
    """Place a call to a split of two desks; return what was answered."""
    first = (api_settings.agents_dir / "front_desk.yaml").read_text()
    (api_settings.agents_dir / "second_desk.yaml").write_text(first.replace("Front Desk", "Second Desk"))
    (api_settings.agents_dir / "either.yaml").write_text(SPLIT)

    async def place() -> dict[str, str]:
        answer = await api.post("/v1/calls", json={"to_number": NUMBER, "personality": "either"})
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    yield place


async def test_a_call_says_which_arm_speaks(api: httpx2.AsyncClient, placed: Placed) -> None:
    """The answer to my request, the call's page and the lists all name the arm."""
    made = await placed()
    assert made["personality"] == "either" and made["arm"] in ("front_desk", "second_desk")
    assert (await api.get(f"/v1/calls/{made['call_id']}")).json()["arm"] == made["arm"]
    row = {row["id"]: row for row in (await api.get("/v1/personalities")).json()["personalities"]}["either"]
    assert (row["usable"], row["arms"], row["problem"]) == (True, {"front_desk": 1, "second_desk": 1}, None)
    shown = (await api.get("/v1/personalities/either")).json()
    assert shown["text"] == SPLIT and "agents/second_desk.yaml" in shown["files"]
    assert (await api.post("/v1/calls", json={"to_number": NUMBER})).json()["arm"] == ""


async def test_a_call_that_one_arm_could_not_speak_is_refused_always(
    api: httpx2.AsyncClient, placed: Placed, api_settings: Settings
) -> None:
    """An arm without its vendor's key, or with a variable nobody gave, is found by the first call and not by the third."""
    (api_settings.agents_dir / "either.yaml").write_text(SPLIT.replace("second_desk", "keyless"))
    for arm, words in (("keyless", "'keyless' uses azure"), ("strict", "organization")):
        (api_settings.agents_dir / "either.yaml").write_text(SPLIT.replace("second_desk", arm))
        answers = [await api.post("/v1/calls", json={"to_number": NUMBER, "personality": "either"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [422] * 6
        assert words in answers[0].json()["detail"]


async def test_a_broken_arm_is_told_at_its_place(api: httpx2.AsyncClient, placed: Placed) -> None:
    """I name an arm that is not there when I save the split; nothing is saved, and I am told the nearest name."""
    body = {"content": {"name": "Two", "split": {"front_desk": 1, "secnd_desk": 1}}}
    refused = await api.put("/v1/personalities/either", json=body, headers={"If-Match": "*"})
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["file"], error["field"]) == (422, "agents/either.yaml", "split.secnd_desk")
    assert "did you mean `second_desk`?" in error["message"]


async def test_stats_compare_the_arms_of_recorded_calls(
    app: FastAPI, api: httpx2.AsyncClient, placed: Placed, queue: CallQueue, records: Records
) -> None:
    """Answered calls and waiting ones, by arm, with the counts that each figure is of."""
    arms = [(await placed())["arm"] for _ in range(4)]
    for _ in range(3):
        held = await queue.claim(limit=9, calls_per_second=99, lease_s=7)
        assert held
        for report in (Report(Event.CLAIMED, room="r"), Report(Event.DIALING), Report(Event.ANSWERED), Report(Event.HUNG_UP)):
            await records.report(held.call.call_id, report, token=held.token)
    recorded = await _completed(api, 3)
    rows = (await api.get("/v1/stats", params={"personality": "either"})).json()["rows"]
    assert {row["arm"]: row["calls"] for row in rows} == {arm: arms.count(arm) for arm in set(arms)}
    ended = [call["arm"] for call in recorded]
    for row in rows:
        assert row["answered"]["count"] == row["answered"]["of"] == row["talk_s"]["count"] == ended.count(row["arm"])
        assert row["outcomes"] == ({"completed": ended.count(row["arm"])} if row["arm"] in ended else {})
    assert (await api.get("/v1/stats", params={"created_before": "2020-01-01T00:00:00Z"})).json()["rows"] == []
    assert (await api.get("/v1/stats", params={"created_from": "yesterday"})).status_code == 422
    one = (await api.get("/v1/calls", params={"arm": arms[0]})).json()["calls"]
    assert {call["arm"] for call in one} == {arms[0]}


async def _completed(api: httpx2.AsyncClient, count: int) -> list[dict[str, str]]:
    """Wait until the recorder has written so many completed calls; return them."""
    async with asyncio.timeout(20):
        while True:
            found = (await api.get("/v1/calls", params={"outcome": "completed"})).json()["calls"]
            if len(found) >= count:
                return list(found)
            await asyncio.sleep(0.05)
