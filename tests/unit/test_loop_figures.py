"""What two transcripts of one call tell about the line: words that arrived, silences, the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.doctor.loop_figures import Turn, direction, round_trip_s

pytestmark = pytest.mark.unit

QUESTIONS = ("When are you open today?", "Could somebody call me back?", "What does one visit cost?")
ANSWERS = ("From nine until five.", "Of course, who are you?", "Twenty dollars for each of you.")


def turn(speaker: str, text: str, start_s: float, end_s: float) -> Turn:
    return {"speaker": speaker, "text": text, "start_s": start_s, "end_s": end_s}


def a_call(there_s: float, back_s: float, thinks_s: float = 0.5, clock_s: float = 0.0) -> tuple[list[Turn], list[Turn]]:
    """Two transcripts of one call over a line with these delays; the second end's clock starts `clock_s` earlier."""
    caller, callee, now = [turn("agent", "Hello, I am an AI.", 0, 1)], [turn("agent", "Hello, I am too.", 0, 1)], 2.0
    for question, answer in zip(QUESTIONS, ANSWERS, strict=True):
        asked, arrived = (now, now + 1), (now + there_s, now + there_s + 1)
        caller.append(turn("agent", question, *asked))
        callee.append(turn("callee", question.lower(), arrived[0] + clock_s, arrived[1] + clock_s))
        replied = arrived[1] + thinks_s
        callee.append(turn("agent", answer, replied + clock_s, replied + 1 + clock_s))
        caller.append(turn("callee", answer.lower(), replied + back_s, replied + 1 + back_s))
        now = replied + back_s + 2
    return caller, callee


@given(there_s=st.floats(0, 3), back_s=st.floats(0, 3), thinks_s=st.floats(0, 5), clock_s=st.floats(0, 100))
def test_the_way_there_and_back_needs_no_common_clock(there_s: float, back_s: float, thinks_s: float, clock_s: float) -> None:
    """Whatever the two clocks say and however long the agent thinks, the line's own time comes out."""
    caller, callee = a_call(there_s, back_s, thinks_s, clock_s)
    assert round_trip_s(caller, callee) == pytest.approx(there_s + back_s, abs=1e-6)


def test_nothing_recognised_is_no_figure() -> None:
    """The other end heard noise: how long it took is not known, rather than zero."""
    caller, callee = a_call(0.1, 0.1)
    noise = [
        turn(one["speaker"], "ah" if one["speaker"] == "callee" else one["text"], one["start_s"], one["end_s"]) for one in callee
    ]
    assert round_trip_s(caller, noise) is None


def test_words_that_arrived_are_counted_without_the_greeting() -> None:
    """Both greet at once, so those words are not asked for; of the others each counts where it was heard in its sentence."""
    caller, callee = a_call(0.1, 0.1)
    found = direction(caller, callee)
    assert (found.said, found.understood, found.times) == (15, 15, 3)
    assert found.first_s == pytest.approx(2.1)
    lost = [one for one in callee if "visit" not in one["text"]]
    assert (direction(caller, lost).said, direction(caller, lost).times) == (15, 2)
    assert direction(caller, lost).understood < 15


def test_a_dead_line_heard_nothing() -> None:
    """No first word, no understood word, and a silence as long as it lasted."""
    caller, callee = a_call(0.1, 0.1)
    alone = [one for one in callee if one["speaker"] == "agent"]
    found = direction(caller, alone)
    assert (found.understood, found.times, found.first_s) == (0, 0, None)
    assert found.silence_s == pytest.approx(max(b["start_s"] - a["end_s"] for a, b in zip(alone, alone[1:], strict=False)))


def test_a_silence_is_one_of_both_voices() -> None:
    """While one speaks the other is not silent; a long sentence hides a short one inside it."""
    heard = [turn("agent", "a", 1, 6), turn("callee", "b", 2, 3), turn("callee", "c", 8, 9)]
    assert direction([], heard).silence_s == 2
