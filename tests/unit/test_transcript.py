"""What is written down of a call: each sentence once, whoever writes it at the end."""

from typing import Any, cast

import pytest
from livekit.agents import llm
from livekit.agents.voice import ConversationItemAddedEvent, UserInputTranscribedEvent

from modules.conversation.transcript import Transcript

pytestmark = pytest.mark.unit


class Notes:
    """A scribe that only remembers."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def note(self, event_type: str, data: dict[str, Any]) -> None:
        self.turns.append(data["text"])


class Session:
    """A session whose events a test tells."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def on(self, event: str, handler: Any) -> None:
        self.told[event] = handler

    def hears(self, text: str) -> None:
        self.told["user_input_transcribed"](UserInputTranscribedEvent(transcript=text, is_final=True))

    def takes_up(self, text: str) -> None:
        item = llm.ChatMessage(role="user", content=[text])
        self.told["conversation_item_added"](ConversationItemAddedEvent(item=item))


@pytest.fixture
def call() -> tuple[Session, Transcript, Notes]:
    notes, session = Notes(), Session()
    transcript = Transcript(cast(Any, notes))
    transcript.listen(cast(Any, session))
    return session, transcript, notes


def test_what_no_turn_took_up_is_written_once(call: tuple[Session, Transcript, Notes]) -> None:
    """The line was cut in the middle of an answer, e.g. by a hand-over; the session closes later and tells it again."""
    session, transcript, notes = call
    session.hears("one moment")
    session.hears("please")
    transcript.keep_unanswered()
    session.takes_up("one moment please")
    transcript.keep_unanswered()
    assert notes.turns == ["one moment please"]


def test_somebody_who_says_the_same_twice_is_written_twice(call: tuple[Session, Transcript, Notes]) -> None:
    """"Hello? Hello?" is two turns."""
    session, transcript, notes = call
    for _ in range(2):
        session.hears("hello")
        session.takes_up("hello")
    transcript.keep_unanswered()
    assert notes.turns == ["hello", "hello"]
