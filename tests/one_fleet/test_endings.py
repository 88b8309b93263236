"""The ways a conversation ends that the other side did not choose: taken back, out of time."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]

TALKER, NEVER_ANSWERS = "+12025550112", "+12025550104"


async def test_a_call_taken_back_in_mid_sentence_is_hung_up(caller: Caller) -> None:
    """I cancelled while they were talking; the line was cut within two seconds and the record says canceled."""
    call_id = await caller.place(TALKER)
    await caller.state_is(call_id, "in_progress")
    await cancel(caller, call_id)
    assert (await caller.end_of(call_id))["outcome"] == "canceled"
    dial = await caller.hung_up(call_id)
    assert dial["ended_by"] == "caller"


async def test_a_ringing_phone_stops_ringing_when_the_call_is_taken_back(caller: Caller) -> None:
    """I cancelled while it rang; the phone fell silent and nobody was rung again."""
    call_id = await caller.place(NEVER_ANSWERS)
    await caller.rings(call_id)
    await cancel(caller, call_id)
    assert (await caller.end_of(call_id))["outcome"] == "canceled"
    dial = await caller.hung_up(call_id)
    assert dial["answered_at"] is None
    assert len(await caller.dials(call_id)) == 1


async def test_a_waiting_call_taken_back_is_never_dialled(caller: Caller) -> None:
    """I cancelled a call that was planned for later; no phone rang."""
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    call_id = await caller.place(TALKER, not_before=in_an_hour.isoformat())
    await cancel(caller, call_id)
    assert (await caller.end_of(call_id))["outcome"] == "canceled"
    assert await caller.dials(call_id) == []


async def test_a_call_that_goes_on_and_on_is_ended_politely(caller: Caller) -> None:
    """The other side would not stop talking; within ten seconds my agent said goodbye and hung up."""
    call_id = await caller.place(TALKER, max_call_s=10)
    call = await caller.end_of(call_id)
    assert call["outcome"] == "completed"
    assert call["duration_s"] <= 12
    assert "Goodbye" in [turn["text"] for turn in await caller.turns(call_id) if turn["speaker"] == "agent"][-1]


async def cancel(caller: Caller, call_id: str) -> None:
    answer = await caller.http.post(f"/v1/calls/{call_id}/cancel", json={"reason": "changed my mind"})
    assert answer.status_code == 200, answer.text
