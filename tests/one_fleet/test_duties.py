"""What a personality does besides talking, heard and counted at the other end of the line."""

import asyncio

import pytest

from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

GYM, MAILBOX, MENU, PRESSER = "+12025550100", "+12025550102", "+12025550119", "+12025550134"
MESSAGE_STARTS = "hello this is an ai assistant i had a question"


async def test_a_mailbox_is_told_why_we_called_and_keys_go_both_ways(caller: Caller) -> None:
    """My message was spoken once and whole, after the beep; the menu heard one key and told me what I wanted to know; who
    only pressed keys was understood."""
    calls = [await caller.place(number, personality="errand_demo") for number in (MAILBOX, MENU, PRESSER)]
    ended = await asyncio.gather(*(caller.end_of(call_id) for call_id in calls))
    assert [(call["outcome"], call["reason"]) for call in ended] == [
        ("voicemail", "A message was left."), *[("completed", "The agent said goodbye.")] * 2,
    ]  # fmt: skip
    mailbox, menu, presser = [await caller.hung_up(call_id) for call_id in calls]
    greeting_ends = next(spoken["end_ms"] for spoken in mailbox["transcript"] if spoken["speaker"] == "callee")
    after = [spoken for spoken in mailbox["transcript"] if spoken["speaker"] == "agent" and spoken["start_ms"] > greeting_ends]
    assert [spoken["text"].startswith(MESSAGE_STARTS) for spoken in after] == [True]
    assert after[0]["start_ms"] > greeting_ends + 800, "before the breath and the beep were over"
    assert menu["digits_heard"] == "1"
    turns = await caller.turns(calls[1])
    assert ("agent", "pressed 1", "1") in [(turn["speaker"], turn["text"], turn["keys"]) for turn in turns]
    assert "open every day" in " ".join(turn["text"] for turn in turns)
    turns = await caller.turns(calls[2])
    assert [turn["text"] for turn in turns if turn["keys"]] == ["pressed 1", "pressed 9 0 #"]
    assert turns[-1]["text"].startswith("Thank you"), "the keys were no answer"
    logs = [file.read_text("utf-8") for file in caller.fleet.logs.glob("*.log")]
    assert logs and not any("pressed 9" in log or "90#" in log for log in logs), "keys have no place in logs"


async def test_a_call_is_handed_over_and_comes_back_where_that_fails(caller: Caller) -> None:
    """The first number was busy and they were told so; the second took the call, which ended as transferred."""
    call_id = await caller.place(GYM, personality="errand_demo")
    call = await caller.end_of(call_id)
    assert (call["outcome"], call["reason"]) == ("transferred", "Handed over to reception.")
    ours = [turn["text"] for turn in await caller.turns(call_id) if turn["speaker"] == "agent"]
    assert ours.count("One moment please, I will connect you.") == 2
    assert any(text.startswith("I am sorry, nobody can be reached there.") for text in ours)
    dial = await caller.hung_up(call_id)
    assert dial["ended_by"] == "transfer"
