"""`personalities lint|list|show|diff` on folders of one's own, without a fleet."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from modules.command_line import app
from modules.conversation.personalities import Personalities
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folders as the working directory; no setting is needed."""
    for name in ("agents", "prompts"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name in ("AGENTS_DIR", "PROMPTS_DIR", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def vf(*words: str) -> Result:
    return CliRunner().invoke(app, ["personalities", *words])


def told(*words: str) -> Any:
    return json.loads(vf(*words, "--json").stdout)


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "agents" / "local_demo.yaml"
    path.write_text(path.read_text().replace(old, new))


def test_what_comes_with_the_project_is_good(folder: Path) -> None:
    """lint finds nothing, list shows all of them, show resolves one."""
    assert vf("lint").exit_code == 0
    assert "local_demo" in {row["id"] for row in told("list")["personalities"]}
    assert told("show", "hospital_demo")["variables"]["patient_name"]["default"] == "Maria Lopez"


def test_lint_names_every_mistake_and_fails(folder: Path) -> None:
    """My check before a commit fails, with one line for each mistake."""
    edit(folder, "name: Local demo", "nam: Local demo")
    edit(folder, "nudges: 2", "nudges: 20")
    found = vf("lint")
    assert found.exit_code == 1
    assert "agents/local_demo.yaml:3:1: nam: no such field; did you mean `name`?" in found.stdout
    assert "turns.nudges: expected at most 10, found 20" in found.stdout
    assert len(told("lint", "local_demo")["errors"]) == 2
    assert vf("lint", "short_notice").exit_code == 0


def test_a_name_that_is_not_there_is_wrong_use(folder: Path) -> None:
    """A typing mistake is answered with the name I meant."""
    for verb in ("lint", "show", "diff"):
        found = vf(verb, "local_dmo")
        assert (found.exit_code, "Did you mean 'local_demo'?" in found.stderr) == (2, True)


def test_diff_shows_what_changed_since_the_last_good_version(folder: Path) -> None:
    """A broken edit is shown beside what the fleet goes on using."""
    assert vf("diff", "local_demo").exit_code == 1  # no fleet has read it yet
    Personalities(folder / "agents", folder / "prompts", folder / "data" / "personalities").load("local_demo")
    assert told("diff", "local_demo") == {"differs": False, "diff": ""}
    edit(folder, "name: Local demo", "nam: Local demo")
    shown = vf("diff", "local_demo")
    assert shown.exit_code == 1
    assert "-name: Local demo\n+nam: Local demo" in shown.stdout
