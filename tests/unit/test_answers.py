"""What a call brings home: typed values that somebody really said, whatever a model claims."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from modules.after_call.answers import NOT_SAID, Answer, Turn, checked
from modules.after_call.extraction import extract
from modules.conversation.speech.local import load_script, scripted_llm
from modules.conversation.speech.local.evidence import spoken_number
from modules.conversation.wanted import Extract, Wanted
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit

PRICE = Wanted(type="number", unit="USD", description="price of one visit")
TURNS = [
    Turn(0, "agent", "Is it twenty dollars?"),
    Turn(1, "callee", "Well, one visit costs twenty-five dollars. On Sundays twenty dollars."),
    Turn(2, "agent", "Thank you."),
]
NO_QUOTE = "The model's quote for it is not in the transcript."


def answer(reported: Any, wanted: Wanted = PRICE) -> Answer:
    return checked({"price": wanted}, {"price": reported}, TURNS)["price"]


def test_an_answer_carries_its_value_its_unit_and_its_proof() -> None:
    """I read the number, the words that were said and in which turn."""
    found = answer({"value": 25, "quote": "one visit costs twenty-five dollars", "turn": 1})
    assert found == Answer(25, "USD", "one visit costs twenty-five dollars", 1)


@pytest.mark.parametrize(
    "quote", ["One visit costs TWENTY FIVE dollars", "costs  twenty-five dollars.", "twenty five dollars on sundays"]
)
def test_marks_and_capitals_of_a_quote_do_not_matter(quote: str) -> None:
    """A transcript has its own; the words decide."""
    assert answer({"value": 25, "quote": quote, "turn": 1}).value == 25


@pytest.mark.parametrize("quote", ["one visit costs thirty dollars", "", "   ", "...", "visits cost twenty five", "wenty-five"])
def test_an_answer_that_nobody_said_does_not_count(quote: str) -> None:
    """A model may make things up; what it made up is dropped and marked."""
    assert answer({"value": 30, "quote": quote, "turn": 1}) == Answer(unit="USD", note=NO_QUOTE)


def test_a_wrong_turn_is_put_right_and_the_callee_goes_first() -> None:
    """The quote decides where it was said; our own question is a proof only where they said nothing of it."""
    assert answer({"value": 20, "quote": "twenty dollars", "turn": 7}).turn == 1
    assert answer({"value": 20, "quote": "twenty dollars", "turn": 0}).turn == 0
    assert answer({"value": 20, "quote": "is it twenty dollars", "turn": 1}).turn == 0


@pytest.mark.parametrize(("wanted", "said", "value", "why"), [
    ({"type": "number"}, "25.50", 25.5, ""), ({"type": "number"}, "25", 25, ""), ({"type": "integer"}, 25.0, 25, ""),
    ({"type": "number"}, "about twenty", None, "is not a number"), ({"type": "number"}, True, None, "is not a number"),
    ({"type": "number"}, float("nan"), None, "is not a number"), ({"type": "number"}, 10**400, None, "is not a number"),
    ({"type": "integer"}, 2.5, None, "is not a whole number"),
    ({"type": "boolean"}, False, False, ""), ({"type": "boolean"}, "no", None, "is neither true nor false"),
    ({"type": "string"}, "Sundays", "Sundays", ""), ({"type": "string"}, ["Sundays"], None, "is not a text"),
    ({"type": "choice", "choices": ["yes", "no"]}, "no", "no", ""),
    ({"type": "choice", "choices": ["yes", "no"]}, "maybe", None, "is none of the choices"),
])  # fmt: skip
def test_a_value_is_of_the_kind_that_was_wanted_or_none(wanted: dict[str, Any], said: object, value: object, why: str) -> None:
    """Whoever reads the answers need not check their types."""
    found = answer({"value": said, "quote": "one visit", "turn": 1}, Wanted.model_validate(wanted | {"description": "x"}))
    assert (found.value, found.note) == (value, f"What the model reported {why}." if why else "")


@pytest.mark.parametrize(
    "reported", [None, {}, "twenty", {"value": None, "quote": "one visit", "turn": 1}, {"quote": "one visit"}]
)
def test_what_was_not_reported_was_not_said(reported: Any) -> None:
    """Every wanted name is in the answers, also without one."""
    assert answer(reported) == Answer(unit="USD", note=NOT_SAID)
    assert checked({"price": PRICE}, "nonsense", TURNS)["price"].note == NOT_SAID


def test_json_schema_says_the_same_as_the_short_form() -> None:
    """I can paste the schema my program has anyway."""
    schema = {
        "type": "object", "required": ["price"],
        "properties": {
            "price": {"type": "number", "description": "price of one visit"},
            "day": {"enum": ["monday", "sunday"], "title": "best day"},
            "open": {"type": "boolean"},
        },
    }  # fmt: skip
    short = {
        "price": {"type": "number", "description": "price of one visit"},
        "day": {"type": "choice", "choices": ["monday", "sunday"], "description": "best day"},
        "open": {"type": "boolean", "description": "open"},
    }
    reader: TypeAdapter[dict[str, Wanted]] = TypeAdapter(Extract)
    assert reader.validate_python(schema) == reader.validate_python(short)
    with pytest.raises(ValidationError, match="`minimum` of 'price' is not understood here"):
        reader.validate_python({"type": "object", "properties": {"price": {"type": "number", "minimum": 1}}})


async def test_the_scripted_model_finds_its_answers_by_patterns() -> None:
    """The demo's call ends with what the gym said, each with the words that prove it."""
    said = ("agent", "What is the price?"), ("callee", "One visit costs twenty dollars."), ("callee", "No, a mat is free.")
    heard = [Turn(index, *turn) for index, turn in enumerate(said)]
    kinds = {"mat_fee": "boolean", "bring": "string"}
    wanted = {"drop_in_price": PRICE} | {
        name: Wanted.model_validate({"type": kind, "description": "x"}) for name, kind in kinds.items()
    }
    model = scripted_llm(load_script(PROJECT / "prompts" / "scripts" / "gym_researcher.yaml"))
    found = await extract(model, wanted, heard)
    assert found == {
        "drop_in_price": Answer(20, "USD", "costs twenty dollars", 1),
        "mat_fee": Answer(False, "", "mat is free", 2),
        "bring": Answer(note=NOT_SAID),
    }
    assert json.dumps([one.to_json() for one in found.values()])


@pytest.mark.parametrize(("words", "number"), [
    ("zero", 0), ("seven", 7), ("twenty", 20), ("forty two", 42), ("one hundred and five", 105), ("three hundred", 300),
    ("two thousand", 2000), ("twelve thousand three hundred and forty five", 12_345), ("hundred", 100),
    ("monday", None), ("", None), ("twenty bananas", None),
])  # fmt: skip
def test_spoken_numbers_are_numbers(words: str, number: int | None) -> None:
    """A price is heard as words."""
    assert spoken_number(words) == number
