"""Saving personalities and prompts over HTTP: validated, comments kept, and never over what somebody else has saved."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from config import Settings
from tests.api.conftest import KEY, NUMBER, client

pytestmark = pytest.mark.redis
DESK = "/v1/personalities/front_desk"
RULES = "/v1/prompts/house_rules"


class File:
    """A file as somebody with an editor on the same machine sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def text(self) -> str:
        return self.path.read_text()

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def beside(self) -> set[str]:
        """Every file of its folder."""
        return set(os.listdir(self.path.parent))


@pytest.fixture
def desk(api_settings: Settings) -> File:
    """The personality's file, with a comment in it."""
    file = File(api_settings.agents_dir / "front_desk.yaml")
    file.write(f"# The front desk.\n{file.text.strip()}\n")
    return file


def etag(answer: httpx2.Response) -> dict[str, str]:
    """Return the header that replaces exactly what was answered."""
    return {"If-Match": answer.headers["etag"]}


async def test_a_personality_is_read_changed_and_used_by_the_next_call(api: httpx2.AsyncClient, desk: File) -> None:
    """I change one field over HTTP; the comments stay, and the very next look at it has the new words."""
    read = await api.get(DESK)
    content = read.json()["fields"] | {"greeting": "Hello, this is the assistant of {{ organization }}, an AI."}
    saved = await api.put(DESK, json={"content": content}, headers=etag(read))
    assert (saved.status_code, saved.json()["content"]["greeting"]) == (200, content["greeting"])
    assert desk.text.startswith("# The front desk.\nname: Front Desk\n")
    again = await api.get(DESK)
    assert (again.headers["etag"], again.json()["text"]) == (saved.headers["etag"], desk.text)
    assert again.json()["sha256"] != read.json()["sha256"]
    whole = await api.put(DESK, json={"text": read.json()["text"]}, headers=etag(again))
    assert (whole.status_code, whole.headers["etag"], desk.text) == (200, read.headers["etag"], read.json()["text"])


async def test_two_editors_cannot_overwrite_each_other(api: httpx2.AsyncClient, desk: File) -> None:
    """Both have read the same version; the second to save is told, and the first one's text stays."""
    read = await api.get(DESK)
    texts = [read.json()["text"].replace("Front Desk", name) for name in ("Ada", "Bob", "Cleo", "Dan", "Eva")]
    answers = await asyncio.gather(*(api.put(DESK, json={"text": text}, headers=etag(read)) for text in texts))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    (kept,) = [text for answer, text in zip(answers, texts, strict=True) if answer.status_code == 200]
    assert desk.text == kept
    assert {answer.json()["code"] for answer in answers if answer.status_code == 412} == {"changed_meanwhile"}
    blind = await api.put(DESK, json={"text": texts[0]})
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    edited_by_hand = desk.text.replace("Desk", "Hand")
    desk.write(edited_by_hand + "# by hand\n")
    assert (await api.delete(DESK, headers=etag(read))).status_code in (409, 412)
    assert desk.text.endswith("# by hand\n")


async def test_what_does_not_validate_is_refused_with_every_mistake(api: httpx2.AsyncClient, desk: File) -> None:
    """The answer names file, line, column and field of each, as lint does; the file is as it was."""
    before, files, read = desk.text, desk.beside(), await api.get(DESK)
    wrong = before.replace("name:", "nam:").replace("llm: {provider: local", "llm: {provider: loca")
    refused = await api.put(DESK, json={"text": wrong}, headers=etag(read))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "broken_edit")
    assert [(one["file"], one["line"], one["column"], one["field"]) for one in problem["errors"]] == [
        ("agents/front_desk.yaml", 2, None, "name"),
        ("agents/front_desk.yaml", 2, 1, "nam"),
        ("agents/front_desk.yaml", 5, 19, "components.llm.provider"),
    ]
    assert "did you mean `name`?" in problem["errors"][1]["message"]
    looked = (await api.post(f"{DESK}/validate", json={"text": wrong})).json()
    assert (looked["valid"], len(looked["errors"])) == (False, 3)
    assert (await api.post(f"{DESK}/validate", json={"content": read.json()["fields"]})).json()["valid"]
    assert (desk.text, desk.beside()) == (before, files)


async def test_a_broken_file_is_mended_over_http(api: httpx2.AsyncClient, desk: File) -> None:
    """Whoever broke it on disk reads the broken text here, and saves a whole one."""
    good = desk.text
    await api.get(DESK)
    desk.write("name: [")
    read = await api.get(DESK)
    assert (read.json()["text"], read.json()["fields"], read.json()["usable"]) == ("name: [", None, True)
    assert [one["line"] for one in read.json()["mistakes"]] == [1]
    refused = await api.put(DESK, json={"content": {"name": "Desk"}}, headers=etag(read))
    assert (refused.status_code, refused.json()["code"]) == (422, "broken_edit")
    assert (await api.put(DESK, json={"text": good}, headers=etag(read))).status_code == 200
    assert (await api.get(DESK)).json()["problem"] is None


async def test_a_personality_comes_and_goes(api: httpx2.AsyncClient, desk: File) -> None:
    """I make one, a call may name it, I delete it; a name that exists is not made twice."""
    path, text = "/v1/personalities/night_desk", desk.text
    made = await api.put(path, json={"text": text}, headers={"If-None-Match": "*"})
    assert (made.status_code, made.headers["location"]) == (201, path)
    assert (await api.put(path, json={"text": text}, headers={"If-None-Match": "*"})).status_code == 412
    assert (await api.post("/v1/calls", json={"to_number": NUMBER, "personality": "night_desk"})).status_code == 202
    assert (await api.delete(path)).status_code == 428
    assert (await api.delete(path, headers=etag(made))).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.put(path, json={"text": text}, headers=etag(made))).status_code == 412
    kept = await api.delete(DESK, headers={"If-Match": "*"})
    assert (kept.status_code, "DEFAULT_PERSONALITY" in kept.json()["detail"]) == (409, True)


async def test_nothing_else_may_break_by_an_edit(api: httpx2.AsyncClient, desk: File) -> None:
    """What another file is made from cannot be taken away from under it; the answer says which would break."""
    base = "/v1/personalities/base"
    made = await api.put(base, json={"text": desk.text})
    await api.put("/v1/personalities/child", json={"text": "extends: base\nname: Child\n"})
    refused = await api.delete(base, headers=etag(made))
    assert (refused.status_code, refused.json()["errors"][0]["file"]) == (422, "agents/child.yaml")
    renamed = desk.text.replace("greeting:", "greting:")
    assert (await api.put(base, json={"text": renamed}, headers=etag(made))).status_code == 422
    used = await api.get("/v1/prompts/default_outbound")
    refused = await api.put("/v1/prompts/default_outbound", json={"text": "For {{ nobody }}."}, headers=etag(used))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "nobody")
    assert (await api.delete("/v1/prompts/default_outbound", headers=etag(used))).status_code == 422
    assert (await api.get(base)).json()["problem"] is None


async def test_a_prompt_is_saved_with_the_variables_it_declares(api: httpx2.AsyncClient, api_settings: Settings) -> None:
    """Text, variables and notes go together; the index keeps its comments and all other entries."""
    index = File(api_settings.prompts_dir / "prompts.yaml")
    entries = json.loads(index.text)
    index.write("# The book.\n" + "".join(f"{key}: {{file: {entry['file']}}}  # {key}\n" for key, entry in entries.items()))
    read = await api.get("/v1/prompts/default_outbound")
    body = {"text": "You call {{ guest }}.", "variables": ["guest"], "notes": "Who is called."}
    saved = await api.put("/v1/prompts/default_outbound", json=body, headers=etag(read))
    assert (saved.status_code, saved.json()["variables"]) == (200, ["guest"])
    assert index.text.splitlines()[:2] == ["# The book.", "house_rules: {file: house_rules.md}  # house_rules"]
    assert File(api_settings.prompts_dir / "default_outbound.md").text == "You call {{ guest }}.\n"
    shown = (await api.get(DESK)).json()["variables"]
    assert "guest" in {item["name"] for item in shown}
    both_gone = await api.put("/v1/prompts/default_outbound", json={"text": "Plain."}, headers=etag(saved))
    assert (both_gone.status_code, both_gone.json()["variables"], both_gone.json()["notes"]) == (200, ["guest"], "Who is called.")


async def test_a_new_prompt_is_spoken_from_once_a_personality_names_it(
    api: httpx2.AsyncClient, desk: File, api_settings: Settings
) -> None:
    """Made, read, named, no longer deletable, let go, deleted."""
    made = await api.put("/v1/prompts/upsell", json={"text": "Sell {{ thing }}.", "variables": ["thing"]})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/prompts/upsell")
    assert (await api.get("/v1/prompts/upsell")).json()["used_by"] == []
    fields = (await api.get(DESK)).json()["fields"]
    read = await api.get(DESK)
    named = {"content": fields | {"prompts": {"outbound": "upsell"}}}
    used = await api.put(DESK, json=named, headers=etag(read))
    assert used.status_code == 200, used.text
    assert (await api.get("/v1/prompts/upsell")).json()["used_by"] == ["front_desk"]
    assert (await api.delete("/v1/prompts/upsell", headers=etag(made))).status_code == 422
    assert (await api.put(DESK, json={"content": fields}, headers=etag(used))).status_code == 200
    assert (await api.delete("/v1/prompts/upsell", headers=etag(made))).status_code == 204
    assert "upsell.md" not in File(api_settings.prompts_dir / "prompts.yaml").beside()


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "..", "%2e%2e", "a%2fb", "DESK", "desk.yaml", "de%00sk", "_base", "a" * 65, "%5c%5chost"],
)
async def test_an_id_is_never_a_path(api: httpx2.AsyncClient, desk: File, name: str) -> None:
    """No name leads out of the folder, to a hidden file, or to a file of another kind."""
    folder = desk.path.parents[1]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    answers = [await api.put(f"/v1/personalities/{name}", json={"text": desk.text})]
    if name != "_base":  # which is a prompt's key like any other
        answers.append(await api.put(f"/v1/prompts/{name}", json={"text": "Be kind."}))
    assert all(answer.status_code in (404, 405, 422) for answer in answers)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


async def test_only_an_ordinary_file_is_replaced(api: httpx2.AsyncClient, desk: File, tmp_path: Path) -> None:
    """A symbolic link leads nobody to another file, and a folder by a file's name is left alone."""
    secret = File(tmp_path / "secret.yaml")
    secret.write("untouched")
    (desk.path.parent / "linked.yaml").symlink_to(secret.path)
    (desk.path.parent / "folder.yaml").mkdir()
    for name in ("linked", "folder"):
        for headers in ({}, {"If-Match": "*"}):
            answer = await api.put(f"/v1/personalities/{name}", json={"text": desk.text}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (409, "not_writable")
    assert secret.text == "untouched"


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "body"), ({"text": "a: b", "content": {}}, "body"), ({"text": "a\u0000b"}, "text"), ({"text": "x" * 70_000}, "text"),
     ({"txt": "a"}, "txt"), ({"text": 5}, "text"), ({"content": []}, "content")],
)  # fmt: skip
async def test_a_body_that_says_neither_is_refused_by_field(
    api: httpx2.AsyncClient, desk: File, body: dict[str, Any], field: str
) -> None:
    """A slip in the request is told as everywhere."""
    answer = await api.put(DESK, json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]) == (422, "bad_request", field)


async def test_a_key_that_places_calls_cannot_rewrite_what_they_say(
    app: FastAPI, api: httpx2.AsyncClient, desk: File, capfd: pytest.CaptureFixture[str]
) -> None:
    """Editing has a scope of its own; the log says who edited what, and nothing of the words."""
    keys = {}
    for scope in ("calls:write", "personalities:write"):
        made = (await api.post("/v1/keys", json={"name": scope, "scopes": [scope, "calls:read"]})).json()
        keys[scope] = made["key"], made["id"]
    text = desk.text.replace("Hello, this is", "Hello, hunter2 is")
    async with client(app, {"X-API-Key": keys["calls:write"][0]}) as caller:
        assert (await caller.put(DESK, json={"text": text}, headers={"If-Match": "*"})).status_code == 403
    async with client(app, {"X-API-Key": keys["personalities:write"][0]}) as editor:
        assert (await editor.put(DESK, json={"text": text}, headers={"If-Match": "*"})).status_code == 200
        assert (await editor.post("/v1/calls", json={"to_number": NUMBER})).status_code == 403
    told = capfd.readouterr()
    line = next(line for line in (told.out + told.err).splitlines() if "personality.saved" in line)
    assert keys["personalities:write"][1] in line and "front_desk" in line
    assert "hunter2" not in told.out + told.err and KEY not in line
