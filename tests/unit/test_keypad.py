"""The other side presses keys: when an entry is over, what becomes of our speech, what is answered, and what is written down."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.agents.voice import ConversationItemAddedEvent

from modules.conversation.dead_air import DeadAir, Debt
from modules.conversation.deadlines import MOST_KEYS_A_CALL
from modules.conversation.keypad import Keypad
from modules.conversation.keys import MOST_KEYS
from modules.conversation.transcript import Transcript

pytestmark = [pytest.mark.unit, pytest.mark.timeout(20)]

PHONE = "callee"


class Session:
    """A session as a keypad sees it: something may be being said, replies are asked for."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.interrupted = 0
        self.may_be_interrupted = True
        self.current_speech: Any = None
        self.told: dict[str, Any] = {}

    def on(self, event: str, handler: Any) -> None:
        self.told[event] = handler

    def interrupt(self) -> None:
        if not self.may_be_interrupted:
            raise RuntimeError("This generation handle does not allow interruptions")
        self.interrupted += 1

    def generate_reply(self, *, user_input: str) -> None:
        self.asked.put_nowait(user_input)
        item = llm.ChatMessage(role="user", content=[user_input])
        self.told["conversation_item_added"](ConversationItemAddedEvent(item=item))


class Call:
    """One call, answered, whose phone presses keys."""

    def __init__(self, *, hides_keys: bool = False, pause_s: float = 0.05) -> None:
        self.room, self.session, self.dead_air = rtc.Room(), Session(), DeadAir()
        self.turns: list[dict[str, Any]] = []
        scribe = SimpleNamespace(note=lambda event_type, data: self.turns.append({"type": event_type} | data))
        transcript = Transcript(cast(Any, scribe), hides_keys=hides_keys)
        transcript.listen(cast(Any, self.session))
        transcript.answered()
        self.answering = True
        self.keypad = Keypad(cast(Any, self.session), transcript, self.dead_air, lambda: self.answering, pause_s)
        self.keypad.listen(self.room, PHONE)

    def presses(self, keys: str, who: str | None = PHONE) -> None:
        """As the room tells it."""
        participant = cast(Any, SimpleNamespace(identity=who)) if who else None
        for key in keys:
            self.room.emit("sip_dtmf_received", rtc.SipDTMF(code=0, digit=key, participant=participant))

    async def is_asked(self) -> str:
        """Wait until our side is to answer; return what to."""
        async with asyncio.timeout(5):
            return await self.session.asked.get()

    def written(self) -> list[tuple[str, str, str]]:
        assert {turn["type"] for turn in self.turns} <= {"call.turn"}
        return [(turn["speaker"], turn["text"], turn["keys"]) for turn in self.turns]


async def test_a_pause_ends_an_entry() -> None:
    """I pressed three keys and waited: that is what I said, once, and I get an answer."""
    call = Call()
    call.presses("123")
    assert await call.is_asked() == "pressed 1 2 3"
    assert call.written() == [("callee", "pressed 1 2 3", "123")]
    assert call.session.asked.empty()


async def test_a_hash_ends_an_entry_at_once() -> None:
    """Who knows telephones does not wait."""
    call = Call(pause_s=60)
    call.presses("42#")
    assert await call.is_asked() == "pressed 4 2 #"
    assert call.written() == [("callee", "pressed 4 2 #", "42#")]


async def test_a_hash_alone_is_an_entry() -> None:
    """Press hash to hear this again; keys that follow it at once belong to it."""
    call = Call()
    call.presses("#")
    assert await call.is_asked() == "pressed #"
    call.presses("#1")
    assert await call.is_asked() == "pressed # 1"


async def test_two_entries_are_two_turns() -> None:
    """First the customer number, then the PIN."""
    call = Call()
    call.presses("77#")
    assert await call.is_asked() == "pressed 7 7 #"
    call.presses("1234")
    assert await call.is_asked() == "pressed 1 2 3 4"
    assert [keys for _, _, keys in call.written()] == ["77#", "1234"]


async def test_the_agent_falls_silent_while_keys_are_pressed() -> None:
    """I know this menu: I press, and it stops talking. A greeting that may not be cut is heard out, and my keys count."""
    call = Call()
    call.presses("1")
    assert call.session.interrupted == 1
    assert await call.is_asked() == "pressed 1"
    call.session.may_be_interrupted = False
    call.presses("2")
    assert await call.is_asked() == "pressed 2"


async def test_an_answer_is_owed_from_the_end_of_the_entry_on() -> None:
    """While I type nobody speaks into it; then silence counts, as after words, also where a greeting is still being said."""
    call = Call()
    ends: list[Any] = []
    call.session.current_speech = SimpleNamespace(done=lambda: False, add_done_callback=ends.append)
    call.dead_air.owe(firm=True)
    call.presses("1")
    assert call.dead_air.lasts_s == 0
    await call.is_asked()
    assert call.dead_air.debt.value == "word"
    call.dead_air.sound(until=0)
    call.dead_air.spoken()  # the greeting is over; it is no answer
    ends[-1](None)
    assert call.dead_air.debt is Debt.ANSWER


async def test_who_is_being_handed_over_is_owed_nothing() -> None:
    """The keys are written down; nobody of ours puts "one moment" into the transfer, and silence counts again if it fails."""
    call = Call()
    call.presses("1")
    call.answering = False
    async with asyncio.timeout(5):
        while not call.turns:  # noqa: ASYNC110 - the pause that ends an entry
            await asyncio.sleep(0.01)
    assert (call.dead_air.debt, call.session.asked.empty()) == (Debt.NOTHING, True)
    call.dead_air.owe(firm=True)
    assert call.dead_air.lasts_s > 0


async def test_nobody_else_presses_keys() -> None:
    """Not another participant, not a server, not before the answer, and nothing that is no key."""
    call = Call()
    call.presses("1", who="somebody")
    call.presses("2", who=None)
    call.presses("A")
    call.room.emit("sip_dtmf_received", rtc.SipDTMF(0, "", cast(Any, SimpleNamespace(identity=PHONE))))
    call.answering = False
    call.presses("3")
    call.answering = True
    call.presses("4")
    assert await call.is_asked() == "pressed 4"
    assert len(call.written()) == 1


async def test_what_was_keyed_in_when_the_line_was_cut_is_written_down() -> None:
    """They hung up in the middle; nobody is answered any more."""
    call = Call()
    call.presses("12")
    call.answering = False
    call.keypad.line_is_cut()
    assert call.written() == [("callee", "pressed 1 2", "12")]
    assert call.session.asked.empty()


async def test_a_machine_that_presses_without_end_is_not_answered_without_end() -> None:
    """Long entries are cut into pieces, and after so many keys a call hears no more."""
    call = Call()
    for _ in range(MOST_KEYS_A_CALL // MOST_KEYS + 1):
        call.presses("7" * MOST_KEYS)
        await call.is_asked()
    call.presses("7" * MOST_KEYS)
    call.keypad.line_is_cut()
    assert max(len(keys) for _, _, keys in call.written()) == MOST_KEYS
    assert sum(len(keys) for _, _, keys in call.written()) == MOST_KEYS_A_CALL


async def test_hidden_keys_reach_the_model_and_no_record(caplog: pytest.LogCaptureFixture) -> None:
    """The personality asks for a PIN: its model must know it to compare it, the record only that something was pressed."""
    caplog.set_level(logging.DEBUG)
    call = Call(hides_keys=True)
    call.presses("9137")
    assert await call.is_asked() == "pressed 9 1 3 7"
    assert call.written() == [("callee", "pressed • • • •", "••••")]
    assert "9137" not in caplog.text and "9 1 3 7" not in caplog.text


async def test_a_card_number_is_in_no_record() -> None:
    """Also where nobody has thought of hiding keys."""
    call = Call()
    call.presses("4111111111111111#")
    assert await call.is_asked() == "pressed 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 #"
    assert [keys for _, _, keys in call.written()] == ["••••••••••••1111#"]
