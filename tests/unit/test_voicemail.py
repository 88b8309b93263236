"""Is it a machine? Told by its words, among the first things heard."""

import pytest

from modules.conversation.voicemail import FIRST_PIECES, is_machine

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("heard", [
    "Hi, you have reached Sam. Please leave a message after the tone.",
    "I can't come to the phone right now.", "We cannot take your call at the moment.",
    "The mailbox is full.", "You have reached the voicemail of five five five", "Please record your message.",
    "Bitte hinterlassen Sie eine Nachricht nach dem Signalton.", "Hier ist der Anrufbeantworter von Familie Meier.",
    "at the tone please leave me a short message", "leave your message after the beep",
])  # fmt: skip
def test_machines_are_known_by_what_they_say(heard: str) -> None:
    """A greeting machine's call ends as voicemail, not as a conversation."""
    assert is_machine([heard])


@pytest.mark.parametrize("heard", [
    "Hello?", "Iron Temple gym, this is Dana, how can I help you?", "Yes, speaking.", "The price is twenty dollars.",
    "Ja, Meier?", "I will take the message for him.", "",
])  # fmt: skip
def test_people_are_not_taken_for_machines(heard: str) -> None:
    """Somebody who just says hello is somebody."""
    assert not is_machine([heard])


def test_only_the_first_turns_count() -> None:
    """Who mentions a voicemail later in the conversation is no machine."""
    assert is_machine(["Sam Smith.", "Leave a message after the beep."])
    assert not is_machine([*["Yes."] * FIRST_PIECES, "You may leave a message for her."])


def test_silence_is_no_machine() -> None:
    """Nothing heard, nothing known."""
    assert not is_machine([])
