"""When our side owes a word and is silent. The clock is set by hand; what is heard is told by the sound, not by the session."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.conversation.dead_air import DeadAir, Debt

pytestmark = pytest.mark.unit


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(clock: Clock) -> DeadAir:
    return DeadAir(clock=clock)


def they_say(line: DeadAir, clock: Clock, seconds: float) -> None:
    line.they_speak()
    clock.now += seconds
    line.they_stopped()


def test_who_owes_nothing_may_be_silent(line: DeadAir, clock: Clock) -> None:
    """I have asked something and wait for the answer: that is no dead air."""
    line.owe(firm=True)
    line.sound(until=clock.now + 2)
    line.spoken()
    clock.now += 60
    assert line.lasts_s == 0


def test_silence_counts_from_the_last_sound_that_is_heard(line: DeadAir, clock: Clock) -> None:
    """A voice makes its sound faster than it is spoken; what is still being heard is no silence."""
    line.owe()
    line.sound(until=clock.now + 3)
    clock.now += 5
    assert line.lasts_s == 2


def test_a_sentence_that_stops_in_the_middle_is_still_owed(line: DeadAir, clock: Clock) -> None:
    """Half a sentence is no answer; only its end settles the debt."""
    line.owe(firm=True)
    line.sound(until=clock.now + 1)
    clock.now += 4
    assert line.lasts_s == 3
    line.sound(until=clock.now + 1)
    line.spoken()
    clock.now += 10
    assert line.lasts_s == 0


def test_a_sentence_without_a_sound_is_still_owed(line: DeadAir, clock: Clock) -> None:
    """The voice gave nothing: the debt stays."""
    line.owe(firm=True)
    line.spoken()
    clock.now += 3
    assert line.lasts_s == 3


def test_a_filler_shortens_the_silence_and_settles_nothing(line: DeadAir, clock: Clock) -> None:
    """After "one moment, please" the answer is still owed."""
    line.owe()
    clock.now += 2.5
    line.filled(until=clock.now + 1)
    clock.now += 3
    assert line.lasts_s == 2
    assert line.debt is Debt.ANSWER


def test_what_is_said_is_owed_an_answer_before_there_are_words_of_it(line: DeadAir, clock: Clock) -> None:
    """A listener that hangs gives no words, so nobody else would notice."""
    they_say(line, clock, 1.0)
    clock.now += 2
    assert (line.debt, line.lasts_s) == (Debt.HEARING, 2)
    line.heard_words()
    assert (line.debt, line.lasts_s) == (Debt.ANSWER, 2)


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_a_cough_is_owed_nothing(seconds: float, line: DeadAir, clock: Clock) -> None:
    """Nobody answers a click on the line."""
    they_say(line, clock, seconds)
    clock.now += 5
    assert line.debt is Debt.NOTHING


def test_our_own_echo_is_owed_nothing(line: DeadAir, clock: Clock) -> None:
    """What sounds while we speak is no question, unless there are words of it; those become a turn by themselves."""
    line.owe(firm=True)
    line.sound(until=clock.now + 3)
    line.spoken()
    clock.now += 1
    they_say(line, clock, 1.0)
    clock.now += 10
    assert line.debt is Debt.NOTHING


def test_a_hello_into_our_silence_does_not_start_the_count_anew(line: DeadAir, clock: Clock) -> None:
    """Somebody who asks whether we are there has not been answered yet."""
    line.owe()
    clock.now += 2
    they_say(line, clock, 0.5)
    clock.now += 1
    assert line.lasts_s == 3


def test_a_turn_of_theirs_starts_the_count_anew(line: DeadAir, clock: Clock) -> None:
    """They have said something longer: the answer to that is owed now."""
    line.owe()
    clock.now += 2
    they_say(line, clock, 4)
    clock.now += 1
    assert line.lasts_s == 1


def test_while_they_speak_nobody_waits_for_us(line: DeadAir, clock: Clock) -> None:
    """No filler into somebody's words."""
    line.owe(firm=True)
    clock.now += 2
    line.they_speak()
    clock.now += 10
    assert line.lasts_s == 0


def test_an_agent_that_found_nothing_to_say_owes_nothing(line: DeadAir, clock: Clock) -> None:
    """ "Hm." needs no answer; but a word that was promised does."""
    debts = []
    for firm in (False, True):
        line.owe(firm=firm)
        line.had_nothing_to_say()
        debts.append(line.debt)
    assert debts == [Debt.NOTHING, Debt.WORD]


def test_a_patient_personality_is_given_its_patience(clock: Clock) -> None:
    """Where I have set three seconds until the end of a turn, those three are no silence of ours."""
    line = DeadAir(patience_s=2.5, clock=clock)
    they_say(line, clock, 1)
    clock.now += 3
    assert line.lasts_s == 0.5


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 5)),
        st.tuples(st.just("they say"), st.floats(0.01, 6)),
        st.tuples(st.just("we say"), st.floats(0.01, 6)),
        st.tuples(st.just("filler"), st.floats(0.5, 2)),
        st.tuples(st.sampled_from(["owe", "owe firmly", "spoken", "nothing to say", "words"]), st.just(0.0)),
    ),
    max_size=40,
)  # fmt: skip


@given(STEPS)
def test_silence_is_never_longer_than_nobody_was_heard(steps: list[tuple[str, float]]) -> None:
    """Whatever happens in whatever order: it never says more than the time since our last sound, and nothing without a debt."""
    clock = Clock()
    line, last_sound = DeadAir(clock=clock), clock.now
    for step, seconds in steps:
        match step:
            case "wait":
                clock.now += seconds
            case "they say":
                they_say(line, clock, seconds)
            case "we say":
                line.sound(clock.now + seconds)
                last_sound = max(last_sound, clock.now + seconds)
            case "filler":
                line.filled(clock.now + seconds)
                last_sound = max(last_sound, clock.now + seconds)
            case "owe":
                line.owe()
            case "owe firmly":
                line.owe(firm=True)
            case "spoken":
                line.spoken()
            case "nothing to say":
                line.had_nothing_to_say()
            case "words":
                line.heard_words()
        assert 0 <= line.lasts_s <= max(0, clock.now - last_sound) + 1e-6
        assert line.debt is not Debt.NOTHING or line.lasts_s == 0
