"""The rules that come before every prompt speak only of what a personality can do."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from modules.calls import Call
from modules.calls.errors import InvalidField
from modules.conversation.call_script import CallScript, Composer
from modules.conversation.personalities import Personalities
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit

TOOLS = ("end_call", "dtmf", "transfer")
NAMES = {"end_call": "end_call", "dtmf": "press_keys", "transfer": "transfer"}
DESK = """name: Desk
components: {{stt: {{provider: local}}, llm: {{provider: local, script: errand}}, tts: {{provider: local}}}}
greeting: "I am an AI assistant."
tools: [{tools}]
{more}
"""


def script_of(folder: Path, personality: str, **variables: str) -> CallScript:
    now = datetime.now(UTC)
    call = Call(
        call_id="outbound-20260101-120000-abc", created_at=now, expires_at=now + timedelta(hours=1), to_number="+12025550100",
        personality=personality, variables=variables,
    )  # fmt: skip
    return Composer(Personalities(folder / "agents", folder / "prompts")).compose(call)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    shutil.copytree(PROJECT / "prompts", tmp_path / "prompts")
    return tmp_path


@pytest.mark.parametrize("tools", [some for count in range(4) for some in combinations(TOOLS, count)], ids="+".join)
def test_no_agent_is_told_of_a_tool_it_does_not_have(folder: Path, tools: tuple[str, ...]) -> None:
    """One that cannot hang up is not told to call end_call: it would say so, or ask for a tool that nobody gave it."""
    more = 'transfer: {desk: "+493012345678"}' if "transfer" in tools else ""
    (folder / "agents" / "desk.yaml").write_text(DESK.format(tools=", ".join(tools), more=more))
    told = script_of(folder, "desk").instructions
    assert {name for name in TOOLS if re.search(rf"\b{NAMES[name]}\b", told)} <= {*tools}
    assert ("end_call" in told) == ("end_call" in tools)
    assert "{" not in told


def test_nobody_tells_an_agent_that_it_has_more_tools(folder: Path) -> None:
    """`tools` is ours to say: a call that brings it changes nothing, and a greeting cannot count on it."""
    (folder / "agents" / "desk.yaml").write_text(DESK.format(tools="", more=""))
    assert "end_call" not in script_of(folder, "desk", tools="end_call").instructions
    (folder / "agents" / "desk.yaml").write_text(DESK.format(tools="", more="variables: {place: Berlin}"))
    with pytest.raises(InvalidField, match="no variable 'tools'"):
        script_of(folder, "desk", tools="end_call")


@pytest.mark.parametrize("path", sorted((PROJECT / "agents").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_personality_of_ours_is_told_of_a_tool_it_does_not_have(path: Path) -> None:
    """Its own prompts included."""
    loaded = Personalities(PROJECT / "agents", PROJECT / "prompts").load(path.stem)
    given = {name: "20" for name in {*loaded.content.variables, *loaded.free_variables()} - {"caller_name"}}
    given |= {name: item.choices[0] for name, item in loaded.content.variables.items() if item.choices}
    given |= {name: "true" for name, item in loaded.content.variables.items() if item.type == "boolean"}
    told = script_of(PROJECT, path.stem, **given).instructions
    have = {NAMES[name] for name in loaded.content.tools}
    assert set(re.findall(r"\b(?:end_call|press_keys|transfer(?= to\b))\b", told)) <= have
