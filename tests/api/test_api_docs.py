"""docs/api.md says what the API does: every route, field and code is in it, and its commands work."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from fastapi import FastAPI

from modules.api_server.problems import catalogue
from modules.api_server.schemas import NewCall
from tests.api.conftest import KEY

pytestmark = pytest.mark.redis
PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ONLY_ON_DOCS = {"/v1/keys/{key_id}"}


def test_the_page_names_every_route_field_and_code(app: FastAPI) -> None:
    """I look something up and it is there."""
    text = PAGE.read_text()
    routes = set(app.openapi()["paths"]) - ONLY_ON_DOCS
    names = {*routes, *NewCall.model_fields, *catalogue()}
    missing = [name for name in names if not re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", text)]
    assert not missing


async def test_its_commands_work(api_url: str) -> None:
    """I copy a command and it does what the page says."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    place, follow = [shlex.split(block.replace("\\\n", " ").replace("$API_KEY", KEY)) for block in blocks]
    for command in (place, follow):
        command[:] = [word.replace("http://127.0.0.1:8000", api_url) for word in command]
    answer = subprocess.run([*place, "-o", "/dev/null", "-w", "%{http_code}"], capture_output=True, text=True, timeout=20)  # noqa: ASYNC221
    assert answer.stdout == "202"
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as curl:  # noqa: ASYNC220
        assert curl.stdout
        assert curl.stdout.readline().startswith(": voicefleet events")
        curl.terminate()
