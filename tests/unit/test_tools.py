"""What an agent's model is told about its tools: what it lists, no more, and never a number."""

import json
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import llm

from modules.conversation.personality import Personality
from modules.conversation.tools import Hands, tools_of

pytestmark = pytest.mark.unit

BASE = {
    "name": "Desk", "greeting": "I am an AI assistant.",
    "components": {
        "stt": {"provider": "local"}, "llm": {"provider": "local", "script": "errand"}, "tts": {"provider": "local"},
    },
}  # fmt: skip
TARGETS = {"reception": "+493012345678", "night": {"number": "+12025550177", "description": "after six"}}


async def nowhere(name: str, number: str) -> str:
    return "nobody there"


def told(**fields: Any) -> tuple[list[str], str]:
    """Return the names of a personality's tools, and everything that a model is told about them."""
    made = tools_of(Personality.model_validate(BASE | fields), Hands(rtc.Room(), lambda: None, nowhere, lambda *_: None))
    context = llm.ToolContext(made)
    return sorted(context.function_tools), json.dumps(context.parse_function_tools("openai", strict=False))


async def test_an_agent_has_the_tools_its_personality_lists() -> None:
    """One that lists none can only talk; by default it can hang up."""
    assert told()[0] == ["end_call"]
    assert told(tools=[])[0] == []
    assert told(tools=["end_call", "dtmf", "transfer"], transfer=TARGETS)[0] == ["end_call", "press_keys", "transfer"]


async def test_the_model_sees_the_names_of_those_it_can_hand_over_to_and_never_their_numbers() -> None:
    """Nobody on the phone can talk a number out of it, nor one into it."""
    _, text = told(tools=["transfer"], transfer=TARGETS)
    assert "reception" in text and "night: after six" in text
    assert "4930" not in text and "555" not in text
