"""Every way a dialled call can come out, as a caller sees it: the right word, a sentence, and exactly one dial."""

import asyncio

import pytest

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


async def test_every_number_ends_in_its_outcome_after_one_dial(caller: Caller) -> None:
    """I called sixteen numbers, and each told me what had happened; no phone was rung twice."""
    calls = {number: await caller.place(number) for number in OUTCOMES}
    ended = await asyncio.gather(*(caller.end_of(call_id) for call_id in calls.values()))
    assert {call["to_number"]: call["outcome"] for call in ended} == OUTCOMES
    assert {number: len(await caller.dials(call_id)) for number, call_id in calls.items()} == dict.fromkeys(OUTCOMES, 1)
    assert all(call["reason"] for call in ended)


async def test_only_a_request_that_was_never_taken_is_dialled_again(caller: Caller) -> None:
    """No SIP service was there to take the request, so trying again was safe; in the end I was told that nothing was dialled."""
    call_id = await caller.place("+12025550120")
    call = await caller.end_of(call_id)
    assert call["outcome"] == "infrastructure"
    assert call["attempts"]["placed"] > 1
