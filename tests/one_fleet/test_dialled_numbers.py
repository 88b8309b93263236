"""Every way a dialled call can come out, as a caller sees it: the right word, a sentence, and exactly one dial."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]

OUTCOMES = {
    "+12025550102": "voicemail",
    "+12025550103": "busy",
    "+12025550104": "no_answer",
    "+12025550105": "declined",
    "+12025550106": "invalid_number",
    "+12025550107": "completed",
    "+12025550108": "completed",
    "+12025550109": "carrier_rejected",
    "+12025550110": "carrier_error",
    "+12025550111": "completed",
    "+12025550113": "unreachable",
    "+12025550114": "no_answer",
    "+12025550115": "trunk_misconfigured",
    "+12025550117": "carrier_error",
    "+12025550121": "indeterminate",
    "+12025550150": "invalid_number",
}


NO_SIP_SERVICE = "+12025550120"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(caller: Caller) -> dict[str, dict[str, Any]]:
    """One call to each number, all over."""
    placed = {number: await caller.place(number) for number in [NO_SIP_SERVICE, *OUTCOMES]}
    ended = await asyncio.gather(*(caller.end_of(call_id) for call_id in placed.values()))
    return dict(zip(placed, ended, strict=True))


async def test_every_number_ends_in_its_outcome_after_one_dial(caller: Caller, calls: dict[str, dict[str, Any]]) -> None:
    """I called sixteen numbers, and each told me what had happened; no phone was rung twice."""
    assert {number: calls[number]["outcome"] for number in OUTCOMES} == OUTCOMES
    dials = {number: len(await caller.dials(calls[number]["call_id"])) for number in OUTCOMES}
    assert dials == dict.fromkeys(OUTCOMES, 1)
    assert all(call["reason"] for call in calls.values())


async def test_only_a_request_that_was_never_taken_is_dialled_again(calls: dict[str, dict[str, Any]]) -> None:
    """No SIP service was there to take the request, so trying again was safe; in the end I was told that nothing was dialled."""
    call = calls[NO_SIP_SERVICE]
    assert call["outcome"] == "infrastructure"
    assert call["attempts"]["placed"] > 1
