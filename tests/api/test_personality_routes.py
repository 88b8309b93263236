"""/v1/personalities and /v1/prompts over HTTP, and what /health tells about a broken edit."""

import httpx2
import pytest

from config import Settings
from tests.api.conftest import NUMBER

pytestmark = pytest.mark.redis


async def test_a_personality_is_shown_as_the_next_call_uses_it(api: httpx2.AsyncClient) -> None:
    """I look up which values I must send, and which version would speak."""
    shown = (await api.get("/v1/personalities/front_desk")).json()
    assert shown["content"]["greeting"].startswith("Hello")
    variables = {item["name"]: item for item in shown["variables"]}
    assert (variables["organization"]["default"], variables["caller_name"]["required"]) == ("Voicefleet", False)
    assert set(shown["files"]) >= {"agents/front_desk.yaml", "prompts/house_rules.md"} and len(shown["sha256"]) == 64
    required = (await api.get("/v1/personalities/strict")).json()["variables"]
    assert [item["name"] for item in required if item["required"]] == ["organization"]
    assert (await api.get("/v1/personalities/nobody")).status_code == 404


async def test_every_mistake_of_a_file_is_named(api: httpx2.AsyncClient, api_settings: Settings) -> None:
    """I ask about a file before I use it and get all its mistakes with their places."""
    assert (await api.post("/v1/personalities/front_desk/validate")).json() == {"id": "front_desk", "valid": True, "errors": []}
    path = api_settings.agents_dir / "front_desk.yaml"
    path.write_text(path.read_text().replace("name:", "nam:").replace("llm: {provider: local", "llm: {provider: loca"))
    found = (await api.post("/v1/personalities/front_desk/validate")).json()
    places = [(error["line"], error["column"], error["field"]) for error in found["errors"]]
    assert not found["valid"]
    assert places == [(2, None, "name"), (2, 1, "nam"), (5, 19, "components.llm.provider")]
    assert all(error["file"] == str(path) and error["message"] for error in found["errors"])
    assert (await api.post("/v1/personalities/nobody/validate")).status_code == 404


async def test_prompts_are_listed_with_who_speaks_from_them(api: httpx2.AsyncClient) -> None:
    """I see what an edit of a prompt would change."""
    listed = {row["key"]: row for row in (await api.get("/v1/prompts")).json()["prompts"]}
    assert listed["default_outbound"]["used_by"] == ["front_desk", "keyless", "strict"]
    assert (await api.get("/v1/prompts/house_rules")).json()["text"] == "Be kind."
    assert (await api.get("/v1/prompts/nothing")).status_code == 404


async def test_a_broken_edit_is_told_by_health_and_costs_no_call(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, api_settings: Settings
) -> None:
    """I save nonsense: calls are still accepted, /health names file and line and nothing of what is in it."""
    path = api_settings.agents_dir / "front_desk.yaml"
    path.write_text(path.read_text().replace("name: Front Desk", "nam: hunter2"))
    health = (await stranger.get("/health")).json()["services"]["personalities"]
    broken = {problem["personality"]: problem for problem in health["problems"]}
    assert health["status"] == "degraded"
    assert broken["front_desk"] == {"personality": "front_desk", "file": "agents/front_desk.yaml", "line": 2, "column": 1}
    assert "hunter2" not in str(health)
    listed = {row["id"]: row for row in (await api.get("/v1/personalities")).json()["personalities"]}
    assert listed["front_desk"]["usable"] and "did you mean `name`?" in listed["front_desk"]["problem"]
    placed = await api.post("/v1/calls", json={"to_number": NUMBER})
    assert (placed.status_code, placed.json()["personality_hash"]) == (202, "")


async def test_a_default_personality_that_cannot_speak_is_down(stranger: httpx2.AsyncClient, api_settings: Settings) -> None:
    """Without the voice that calls get by default, health says so."""
    (api_settings.agents_dir / "front_desk.yaml").unlink()
    found = (await stranger.get("/health")).json()["services"]["personalities"]
    assert (found["status"], found["reason"]) == ("down", "The default personality 'front_desk' cannot be used.")


async def test_a_call_cannot_bring_words_that_its_personality_forbids(api: httpx2.AsyncClient, api_settings: Settings) -> None:
    """Where only the personality's own words may be spoken, a call with others is refused by field."""
    path = api_settings.agents_dir / "front_desk.yaml"
    path.write_text(path.read_text() + "overrides: []\n")
    for name in ("greeting", "llm_prompt"):
        refused = await api.post("/v1/calls", json={"to_number": NUMBER, name: "Hello."})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, name)
