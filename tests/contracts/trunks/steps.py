"""What the tests of stored trunks do again and again: make it so, look, start a program of ours, type a command."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import api
from typer.testing import CliRunner, Result

from config import Settings
from modules.call_queue_manager import Store
from modules.command_line import app
from modules.setup.places import PROJECT
from modules.sip_management.ensure import ensure
from modules.sip_management.plan import Change
from modules.sip_management.reach import Reach
from modules.sip_management.shelves import Noun, Thing, everything
from modules.sip_management.wanted import wanted
from tests.trunk_server import KEY, SECRET

PASSWORD = "very-hidden-7291"
LISTED = "+12025550123"


def did(changes: list[Change]) -> list[str]:
    return [f"{change.doing} {change.noun}" for change in changes]


async def apply(lkapi: api.LiveKitAPI, store: Store, settings: Settings, *numbers: str, outbound: bool = False) -> list[Change]:
    wishes = wanted(settings, numbers, store_outbound=outbound).wishes
    return await ensure(lkapi, store, wishes, settings.livekit_agent_name)


async def the_only(lkapi: api.LiveKitAPI, noun: Noun) -> Thing:
    [thing] = (await everything(lkapi))[noun]
    return thing


async def silent(hostname: str, transport: str) -> Reach:
    return "silent"


@asynccontextmanager
async def process(mine: Settings, script: str, *args: str, log_level: str = "DEBUG") -> AsyncIterator[asyncio.subprocess.Process]:
    """One of our programs in a folder of its own, with this fleet's settings and nothing else."""
    command = ["-m", script] if "." in script and not script.endswith(".py") else [str(PROJECT / script)]
    running = await asyncio.create_subprocess_exec(
        sys.executable, *command, *args, cwd=mine.sip_trunks_file.parent, env=surroundings(mine) | {"LOG_LEVEL": log_level},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    yield running
    if running.returncode is None:
        running.terminate()
        await running.wait()


def surroundings(mine: Settings) -> dict[str, str]:
    """The environment that these settings come from."""
    return {
        "PATH": os.environ["PATH"], "LIVEKIT_URL": mine.livekit_url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET,
        "LIVEKIT_AGENT_NAME": mine.livekit_agent_name, "REDIS_URL": mine.redis_url, "LOG_FORMAT": "json",
        "SIP_TRUNK_HOSTNAME": mine.sip_trunk_hostname, "SIP_AUTH_USERNAME": "me", "SIP_AUTH_PASSWORD": PASSWORD,
        "SIP_FROM_NUMBER": mine.sip_from_number, "SIP_TRUNKS_FILE": str(mine.sip_trunks_file), "DATA_DIR": str(mine.data_dir),
        "AGENTS_DIR": str(PROJECT / "agents"), "PROMPTS_DIR": str(PROJECT / "prompts"), "PYTHONPATH": str(PROJECT),
    }  # fmt: skip


async def output_of(mine: Settings, script: str, *args: str) -> tuple[int, str, str]:
    async with process(mine, script, *args) as running:
        out, err = await running.communicate()
    return running.returncode or 0, out.decode(), err.decode()


async def typed(mine: Settings, *args: str, **changed: str) -> Result:
    """`./voicefleet trunks …`, typed in this process: starting a new one each time takes seconds."""
    env = {name: value for name, value in surroundings(mine).items() if name != "PATH"} | changed
    return await asyncio.to_thread(CliRunner().invoke, app, ["trunks", *args], env=env)
