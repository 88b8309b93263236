"""The README's commands, run as they stand there. A newcomer copies them; so does this."""

import asyncio
import os
import re
import shlex
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from modules.fleet import Fleet
from modules.setup.places import PROJECT
from tests.fleets import running

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(240)]

README = (PROJECT / "README.md").read_text("utf-8")
# Run whole by other tests: this run is start_scripts/test.sh, test_demo.py runs the demo, test_up_and_down.py up and down.
ELSEWHERE = ["./start_scripts/demo.sh", "./start_scripts/test.sh", "./voicefleet up --detach", "./voicefleet down"]


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with running() as fleet:
        yield fleet


def test_every_command_is_run_somewhere() -> None:
    """No command in the README is there only to be read."""
    assert set(ELSEWHERE) < set(commands())
    tests = "".join(path.read_text("utf-8") for path in (PROJECT / "tests").rglob("test_*.py") if path != Path(__file__))
    assert '"demo"' in tests or "demo.sh" in tests
    assert '"up"' in tests


async def test_the_commands_do_what_the_readme_says(fleet: Fleet, tmp_path: Path) -> None:
    """I pasted the README's lines into a shell, in their order, and each worked."""
    lines = [line for line in commands() if line not in ELSEWHERE]
    script = "\n".join(["set -eu", *(_here(line, fleet, tmp_path) for line in lines)])
    key = fleet.settings.api_key.get_secret_value()
    (tmp_path / ".env").write_text(f"API_KEY={key}\n")
    env = dict(os.environ) | {"API_PORT": str(fleet.settings.api_port), "API_KEY": key}
    shell = await asyncio.create_subprocess_exec("bash", "-c", script, env=env, cwd=PROJECT, stdout=PIPE, stderr=PIPE)
    out, err = (stream.decode() for stream in await shell.communicate())
    assert shell.returncode == 0, err
    assert "agent" in out and "callee" in out
    assert '"call_id"' in out
    assert "completed" in out


def _here(line: str, fleet: Fleet, folder: Path) -> str:
    """The same line against this test's own fleet: its port, its `.env`."""
    return line.replace("http://127.0.0.1:8000", fleet.api_url).replace(" .env ", f" {shlex.quote(str(folder / '.env'))} ")


def test_links_lead_somewhere() -> None:
    """Every file the README points to is there."""
    missing = [target for target in re.findall(r"\]\(([^)#:]+)\)", README) if not (PROJECT / target).exists()]
    assert missing == []
