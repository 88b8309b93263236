"""`personalities edit|save` and `stats`, typed against a real API process."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from config import Settings
from modules.command_line import app
from tests.api.conftest import KEY, NUMBER

pytestmark = pytest.mark.redis


class Typed:
    """Types a command while the API answers; its editor replaces words in the file, as a person would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> None:
        self._monkeypatch, self._url, self._folder = monkeypatch, url, folder

    async def __call__(self, *words: str, answers: str = "") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--api-url", self._url], input=answers)

    def editor(self, *changes: tuple[str, str]) -> None:
        """Each time it is opened it makes the next of `changes`."""
        script, left = self._folder / "editor.py", self._folder / "changes.json"
        left.write_text(json.dumps(changes))
        script.write_text(
            "import json, pathlib, sys\n"
            f"left = pathlib.Path({str(left)!r})\n"
            "(old, new), *rest = json.loads(left.read_text())\n"
            "left.write_text(json.dumps(rest))\n"
            "file = pathlib.Path(sys.argv[1])\n"
            "file.write_text(file.read_text().replace(old, new))\n"
        )
        self._monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, api_url: str, tmp_path: Path) -> Typed:
    monkeypatch.setenv("API_KEY", KEY)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Typed(monkeypatch, api_url, tmp_path)


async def test_a_personality_is_edited_until_it_is_good(typed: Typed, api_settings: Settings) -> None:
    """My first version has a mistake, which is named; I mend it and it is saved. Giving up keeps my text."""
    path = api_settings.agents_dir / "front_desk.yaml"
    typed.editor(("name: Front Desk", "nam: Ada"), ("nam: Ada", "name: Ada"))
    result = await typed("personalities", "edit", "front_desk", answers="y\n")
    assert result.exit_code == 0, result.output
    assert "agents/front_desk.yaml:2:1: nam: no such field; did you mean `name`?" in result.stderr
    assert "name: Ada" in path.read_text()
    typed.editor(("name: Ada", "nam: Bob"))
    result = await typed("personalities", "edit", "front_desk", answers="n\n")
    assert result.exit_code == 1
    kept = result.stderr.split("your text is in ")[1].strip()
    assert "nam: Bob" in Path(kept).read_text() and "name: Ada" in path.read_text()  # noqa: ASYNC240 - nobody else is served
    typed.editor(("nothing", "of this"))
    assert "nothing was changed" in (await typed("personalities", "edit", "front_desk")).stderr


async def test_a_file_is_sent_to_the_fleet(typed: Typed, api_settings: Settings, tmp_path: Path) -> None:
    """A new personality is one command; one with mistakes is refused with each of them."""
    text = (api_settings.agents_dir / "front_desk.yaml").read_text()
    mine = tmp_path / "night_desk.yaml"
    mine.write_text(text)
    assert (await typed("personalities", "save", str(mine))).exit_code == 0
    mine.write_text(text.replace("Front", "Night"))
    assert (await typed("personalities", "save", str(mine))).exit_code == 0
    saved = api_settings.agents_dir / "night_desk.yaml"
    assert "Night Desk" in saved.read_text()
    mine.write_text(text.replace("name:", "nam:"))
    refused = await typed("personalities", "save", str(mine))
    assert refused.exit_code == 2 and "agents/night_desk.yaml:2:1: nam: no such field" in refused.stderr
    told = json.loads((await typed("personalities", "save", str(mine), "--json")).stdout)["error"]
    assert (told["code"], [error["line"] for error in told["errors"]]) == ("broken_edit", [2, 2])
    assert "Night Desk" in saved.read_text()
    assert (await typed("personalities", "save", str(tmp_path / "none.yaml"))).exit_code == 2


async def test_stats_are_a_table_or_json(typed: Typed) -> None:
    """Nothing yet is said as such; a waiting call is counted and named as not over."""
    assert "no calls in this range" in (await typed("stats", "--from", "2030-01-01")).stderr
    assert (await typed("call", NUMBER)).exit_code == 0
    rows: list[Any] = []
    async with asyncio.timeout(20):
        while not rows:
            rows = json.loads((await typed("stats", "--json")).stdout)["rows"]
    assert [(row["personality"], row["calls"], row["answered"]["of"]) for row in rows] == [("front_desk", 1, 0)]
    table = (await typed("stats", "--personality", "front_desk")).stdout
    assert "front_desk" in table and "1 not over" in table and "–" in table
