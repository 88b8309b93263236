"""Is it a machine? Told by its words, among the first things heard. When does it record? After its beep, told by its sound."""

import numpy as np
import pytest
from livekit import rtc

from modules.conversation.beep import Beep
from modules.conversation.speech.local import flite_tts
from modules.conversation.speech.local.flite import SAMPLE_RATE
from modules.conversation.voicemail import FIRST_PIECES, NO_BEEP_S, Mailbox, is_machine
from modules.simulation.g711 import RATE, MuLaw, Samples, beep, resample

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


def test_a_message_waits_for_the_beep() -> None:
    """Whoever speaks before it is not recorded."""
    mailbox = Mailbox(0.0)
    mailbox.speaks(0.5)
    mailbox.stopped(6.0)
    assert not mailbox.listens(7.0)
    mailbox.beeped(7.1)
    assert mailbox.listens(7.1)


def test_a_tone_that_words_follow_was_not_the_beep() -> None:
    """Some machines beep first and explain afterwards."""
    mailbox = Mailbox(0.0)
    mailbox.beeped(0.4)
    mailbox.speaks(1.0)
    mailbox.stopped(4.0)
    assert not mailbox.listens(4.5)
    mailbox.beeped(4.6)
    assert mailbox.listens(4.6)


def test_a_machine_without_a_beep_is_spoken_to_after_a_silence() -> None:
    """Not while it speaks, however long; then as soon as it has been silent for long enough."""
    mailbox = Mailbox(0.0)
    mailbox.speaks(1.0)
    assert not mailbox.listens(30.0)
    mailbox.stopped(30.0)
    assert not mailbox.listens(30.0 + NO_BEEP_S - 0.01)
    assert mailbox.listens(30.0 + NO_BEEP_S)


def ends(sound: Samples) -> list[float]:
    """Return the seconds at which a beep was over, heard over a phone line in frames of 50 ms."""
    ear = Beep()
    heard = resample(MuLaw()(sound).tobytes(), RATE, 16_000)
    frames = [heard[start : start + 800] for start in range(0, len(heard) - 799, 800)]
    told = [ear.ends_in(rtc.AudioFrame(part.tobytes(), 16_000, 1, len(part))) for part in frames]
    return [number / 20 for number, over in enumerate(told) if over]


QUIET: Samples = np.zeros(RATE, dtype=np.int16)


@pytest.mark.parametrize("hz", [440, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.5])
def test_a_beep_is_noticed_when_it_is_over(hz: int, seconds: float) -> None:
    """One tone, one end, a tenth of a second after it at most."""
    (over,) = ends(np.concatenate([QUIET, beep(seconds, hz), QUIET]))
    assert 1 + seconds - 0.05 <= over <= 1 + seconds + 0.1


async def test_speech_silence_and_dialling_tones_are_no_beep() -> None:
    """Words, keys (two pitches at once), a click and nothing at all."""
    spoken = resample(await flite_tts("kal16").speak("Hello. You have reached the mailbox. Nobody is here."), SAMPLE_RATE, RATE)
    key = (beep(0.5, 770) // 2 + beep(0.5, 1336) // 2).astype(np.int16)
    click = np.array([20_000, -20_000] * 20, dtype=np.int16)
    assert [ends(np.concatenate([sound, QUIET])) for sound in (spoken, key, click, QUIET)] == [[], [], [], []]
