"""The commands a newcomer types first, as they are typed: start_optimized.py, start_scripts/, voicefleet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modules.setup.places import PROJECT

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(sys.platform == "win32", reason="the scripts here are for bash; Windows has their .bat twins"),
]

OLD_PYTHON = '[ "$1" = -c ] && [ -z "$2" ] && exit 0\n[ "$1" = -c ] && exit 1\necho "handed to an old Python" && exit 9'
AS_PYTHON_3_9 = """
import runpy, sys
sys.version_info, sys.argv = (3, 9, 2), sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
AS_PYTHON_3_14 = AS_PYTHON_3_9.replace("(3, 9, 2)", "(3, 14, 0)")
FIT_PYTHON = f'[ "$1" = -c ] && exit 0\nexec "{sys.executable}" -c "import sys; print(sys.argv[1:])" "$@"'


def run(*command: str | Path, path: str | None = None, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PATH": os.environ["PATH"] if path is None else path}
    return subprocess.run(
        [str(part) for part in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.fixture
def bare_copy(tmp_path: Path) -> Path:
    """The project's starting files in a folder with a space, without `.venv`."""
    copy = tmp_path / "my voice fleet"
    shutil.copytree(PROJECT / "modules" / "setup", copy / "modules" / "setup")
    shutil.copytree(PROJECT / "start_scripts", copy / "start_scripts")
    for name in ("start_optimized.py", "voicefleet"):
        shutil.copy(PROJECT / name, copy)
    return copy


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the few programs bash scripts need, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("bash", "dirname", "readlink", "env"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_an_unknown_command_names_the_known_ones(bare_copy: Path) -> None:
    """A typing mistake costs me one line of reading."""
    said = run(sys.executable, bare_copy / "start_optimized.py", "dmeo")
    assert said.returncode == 2
    assert "'dmeo'" in said.stderr and "one of demo, setup, test, up" in said.stderr
    assert said.stdout == ""


def test_help_needs_nothing(bare_copy: Path) -> None:
    """I can read what it does before anything is installed."""
    said = run(sys.executable, bare_copy / "start_optimized.py", "--help")
    assert said.returncode == 0 and "demo|setup|test|up" in said.stdout
    assert not (bare_copy / ".venv").exists()


@pytest.mark.parametrize("script", ["demo.sh", "setup.sh", "test.sh"])
def test_a_machine_without_python_is_told_so(bare_copy: Path, tools: Path, script: str) -> None:
    """What is missing, why, what to type."""
    said = run(bare_copy / "start_scripts" / script, path=str(tools))
    assert said.returncode == 1
    assert [line.split(":")[0] for line in said.stderr.splitlines()] == ["missing", "why", "type"]


def test_the_scripts_take_a_python_that_fits(bare_copy: Path, tools: Path) -> None:
    """From any folder, with spaces in the path, my arguments arrive as I wrote them."""
    program(tools, "python3.11", FIT_PYTHON)
    said = run(bare_copy / "start_scripts" / "demo.sh", "--once", "two words", path=str(tools), cwd=Path("/"))
    assert said.stdout.strip() == str([str(bare_copy / "start_optimized.py"), "demo", "--once", "two words"])


def test_a_python_that_is_too_old_or_too_new_hands_over(bare_copy: Path, tools: Path) -> None:
    """`python3` may be any version as long as a fit one is on PATH."""
    program(tools, "python3", OLD_PYTHON)
    program(tools, "python3.12", FIT_PYTHON)
    said = run(sys.executable, "-c", AS_PYTHON_3_14, bare_copy / "start_optimized.py", "demo", "--once", path=str(tools))
    assert said.stdout.strip() == str([str(bare_copy / "start_optimized.py"), "demo", "--once"])


def test_a_machine_without_a_fit_python_is_told_which_one(bare_copy: Path, tools: Path) -> None:
    """I learn which Python to install."""
    program(tools, "python3", OLD_PYTHON)
    said = run(sys.executable, "-c", AS_PYTHON_3_9, bare_copy / "start_optimized.py", path=str(tools))
    assert said.returncode == 1
    assert said.stderr.splitlines()[0] == "missing: Python 3.11 or 3.12"
    assert "3.9.2" in said.stderr


def test_voicefleet_says_when_the_set_up_has_not_been_run(bare_copy: Path) -> None:
    """The command line before the set-up tells me the command that comes first."""
    said = run(bare_copy / "voicefleet", "calls")
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1] == f'type:    "{bare_copy}/voicefleet" setup'


def test_voicefleet_can_run_the_set_up_itself(bare_copy: Path, tools: Path) -> None:
    """The command it told me to type exists before anything is installed."""
    program(tools, "python3.11", FIT_PYTHON)
    said = run(bare_copy / "voicefleet", "setup", "--json", path=str(tools))
    assert said.stdout.strip() == str([str(bare_copy / "start_optimized.py"), "setup", "--json"])


def test_voicefleet_works_through_a_link_from_anywhere(bare_copy: Path, tmp_path: Path) -> None:
    """I can link it into a folder on my PATH."""
    (bare_copy / ".venv" / "bin").mkdir(parents=True)
    program(bare_copy / ".venv" / "bin", "python", 'echo "$PWD|$*"')
    (tmp_path / "vf").symlink_to(bare_copy / "voicefleet")
    said = run(tmp_path / "vf", "show", "a b", cwd=Path("/"))
    assert said.stdout.strip() == f"{bare_copy}|-m modules show a b"


def test_the_set_up_needs_only_the_standard_library(tmp_path: Path) -> None:
    """It runs before anything is installed: an isolated Python without site-packages can import all of it."""
    names = sorted(path.stem for path in (PROJECT / "modules" / "setup").glob("*.py") if path.stem != "__init__")
    source = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); " + "; ".join(f"import modules.setup.{name}" for name in names)
    said = run(sys.executable, "-I", "-S", "-c", source, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
