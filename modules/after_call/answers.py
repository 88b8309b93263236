"""What a model says it found, held against what was said. An answer whose words nobody spoke does not count. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from modules.conversation.wanted import Wanted

NOT_SAID = "It was not said."
_LONGEST_QUOTE = 1000


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of the transcript. `speaker` is "agent" or "callee"."""

    index: int
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `value` None: there is none, and `note` says why. `quote` stands word for word in turn `turn`."""

    value: Any = None
    unit: str = ""
    quote: str = ""
    turn: int | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def checked(wanted: Mapping[str, Wanted], reported: object, turns: Sequence[Turn]) -> dict[str, Answer]:
    """Return an answer for each wanted name, made of what was reported: {name: {value, quote, turn}}."""
    found = reported if isinstance(reported, dict) else {}
    return {name: _checked(item, found.get(name), turns) for name, item in wanted.items()}


def nothing_said(wanted: Mapping[str, Wanted]) -> dict[str, Answer]:
    """Return the answers of a call in which nobody spoke."""
    return {name: Answer(unit=item.unit, note=NOT_SAID) for name, item in wanted.items()}


def _checked(wanted: Wanted, reported: object, turns: Sequence[Turn]) -> Answer:
    if not isinstance(reported, dict) or reported.get("value") is None:
        return Answer(unit=wanted.unit, note=NOT_SAID)
    quote = str(reported.get("quote") or "")[:_LONGEST_QUOTE]
    turn = _turn_of(quote, reported.get("turn"), turns)
    if turn is None:
        return Answer(unit=wanted.unit, note="The model's quote for it is not in the transcript.")
    try:
        value = wanted.value(reported["value"])
    except ValueError as error:
        return Answer(unit=wanted.unit, quote=quote, turn=turn, note=f"What the model reported {error}.")
    return Answer(value, wanted.unit, quote, turn)


def _turn_of(quote: str, named: object, turns: Sequence[Turn]) -> int | None:
    """Return the turn in which the quote was said: the one that was named, else the callee's first, else ours."""
    words = _words(quote)
    if not words:
        return None
    said_in = [turn for turn in turns if f" {words} " in f" {_words(turn.text)} "]
    said_in.sort(key=lambda turn: (turn.index != named, turn.speaker != "callee", turn.index))
    return said_in[0].index if said_in else None


def _words(text: str) -> str:
    """A text's words, without the marks that a transcript may or may not have."""
    return " ".join(re.findall(r"\w+", text.casefold()))
