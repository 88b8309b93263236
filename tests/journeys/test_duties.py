"""What a personality does besides talking, heard and counted at the other end of the line."""

import asyncio

import pytest

from tests.callers import Caller

pytestmark = [pytest.mark.livekit, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

MAILBOX, MENU = "+12025550102", "+12025550119"
MESSAGE_STARTS = "hello this is an ai assistant i had a question"


async def test_a_mailbox_is_told_why_we_called_and_a_menu_gets_its_key(caller: Caller) -> None:
    """My message was spoken once and whole, after the beep; the menu heard one key and told me what I wanted to know."""
    calls = [await caller.place(number, personality="errand_demo") for number in (MAILBOX, MENU)]
    ended = await asyncio.gather(*(caller.end_of(call_id) for call_id in calls))
    assert [(call["outcome"], call["reason"]) for call in ended] == [
        ("voicemail", "A message was left."), ("completed", "The agent said goodbye."),
    ]  # fmt: skip
    mailbox, menu = [await caller.hung_up(call_id) for call_id in calls]
    greeting_ends = next(spoken["end_ms"] for spoken in mailbox["transcript"] if spoken["speaker"] == "callee")
    after = [spoken for spoken in mailbox["transcript"] if spoken["speaker"] == "agent" and spoken["start_ms"] > greeting_ends]
    assert [spoken["text"].startswith(MESSAGE_STARTS) for spoken in after] == [True]
    assert after[0]["start_ms"] > greeting_ends + 800, "before the breath and the beep were over"
    assert menu["digits_heard"] == "1"
    assert "open every day" in " ".join(turn["text"] for turn in await caller.turns(calls[1]))
