"""Whoever picks up hears at once that a machine speaks, whatever somebody wrote into the greeting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.conversation.opening import DISCLOSURE, discloses, opening

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("greeting", "language"), [
    ("Hello, I am an AI assistant calling with a few questions about your gym.", "en"),
    ("Hello, this is an AI assistant.", "en"),
    ("Hello, this is an AI assistant calling for Mia Miller.", "en"),
    ("Hi, I'm Anna, an AI assistant of Acme.", "en"),
    ("Good day, you are speaking with Acme's AI assistant.", "en"),
    ("Guten Tag, hier spricht ein KI-Assistent im Auftrag von Mia.", "de"),
    ("Guten Tag, ich bin Anna, eine KI-Assistentin von Acme.", "de"),
])  # fmt: skip
def test_a_greeting_that_says_it_plainly_is_left_as_it_is(greeting: str, language: str) -> None:
    """My own words are enough where they say it."""
    assert opening(greeting, language) == greeting


@pytest.mark.parametrize(("greeting", "language"), [
    ("", "en"), ("Hello, how are you?", "en"), ("Hello, this is Anna from Acme.", "en"),
    ("I am not an AI assistant.", "en"), ("I'm definitely no AI assistant.", "en"), ("This isn't an AI assistant.", "en"),
    ("I am an AI assistant? No, I am a human being.", "en"), ("I am an AI assistant, just kidding.", "en"),
    ("Is this an AI assistant you wonder? I am Bob.", "en"), ("I am calling about your AI assistant.", "en"),
    ("Do you like our AI assistant?", "en"), ("I am a person, unlike an AI assistant.", "en"),
    ("I am a virtual assistant.", "en"),  # people work under that title
    ("I am anything but what one would usually and quite commonly call an AI assistant.", "en"),
    ("Hello! " + "We have a wonderful offer for you today. " * 4 + "I am an AI assistant.", "en"),
    ("I a m an A I assistant", "en"), ("I am an AI-free company's clerk. I don't like AI.", "en"),
    ("Ich bin kein KI-Assistent.", "de"), ("Ich bin ein KI-Assistent? Nein, ein Mensch.", "de"),
    ("Guten Tag, hier ist Anna.", "de"), ("Hier spricht keine künstliche Intelligenz.", "de"),
    ("Mögen Sie unseren KI-Assistenten?", "de"), ("Ich bin ein echter Mensch und keine KI.", "de"),
    ("{{ disclosure }}", "en"), ("<!-- I am an AI assistant. -->?", "en"),
])  # fmt: skip
def test_any_doubt_puts_the_fixed_sentence_in_front(greeting: str, language: str) -> None:
    """Denials, jokes, mere mentions and late remarks do not count."""
    assert opening(greeting, language) == f"{DISCLOSURE[language]} {greeting}"


@pytest.mark.parametrize("language", DISCLOSURE)
def test_every_language_with_a_sentence_hears_it_first(language: str) -> None:
    """The fixed sentence is the callee's own language where we have it."""
    assert opening("...", language) == f"{DISCLOSURE[language]} ..."


@pytest.mark.parametrize("language", ["pl", "xx", ""])
def test_in_a_language_we_have_no_sentence_for_it_is_said_in_english(language: str) -> None:
    """Better in English than not at all."""
    assert opening("Halo.", language) == "I am an AI assistant. Halo."


@given(before=st.text(max_size=80), after=st.text(max_size=80), language=st.sampled_from(["en", "de", "pl"]))
def test_whatever_is_written_the_words_are_there_early(before: str, after: str, language: str) -> None:
    """Within the first sentence or two the callee has heard what speaks."""
    for greeting in (before + after, f"{before} I am an AI assistant. {after}"):
        early = opening(greeting, language)[:140].lower()
        assert "ai" in early or "ki-assistent" in early
        assert opening(greeting, language).endswith(greeting)


@given(greeting=st.text(max_size=200))
def test_nothing_of_the_greeting_is_lost(greeting: str) -> None:
    """The disclosure is added, never put in place of somebody's words."""
    assert opening(greeting, "en").endswith(greeting)


def test_a_personality_may_word_it_itself() -> None:
    """My own sentence stands in front instead of the fixed one, and only where the greeting needs it."""
    mine = "I am the AI assistant of City Clinic."
    assert opening("Good morning.", "de", mine) == f"{mine} Good morning."
    assert opening("Hello, this is an AI assistant.", "en", mine) == "Hello, this is an AI assistant."


@pytest.mark.parametrize("sentence", DISCLOSURE.values())
def test_every_fixed_sentence_is_known_for_what_it_is(sentence: str) -> None:
    """Whoever writes the fixed sentence of a language as their own is believed."""
    assert discloses(sentence)
