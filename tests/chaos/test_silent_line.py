"""The agent is there and its vendors are not: nobody listens to nothing for more than four seconds, whatever they do.

Silence is measured on the phone's own waveform. One fleet, one carrier; the faulty vendors are servers on loopback.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from modules.call_queue_manager import connect
from modules.call_queue_manager.records import Records
from modules.conversation.deadlines import SILENCE_S
from modules.conversation.personality import Sentences
from modules.fleet.process import ended
from modules.setup.places import PROJECT
from tests.callers import Caller, caller_of
from tests.chaos.faulty_vendors import GOODBYE, faults
from tests.contracts.providers.vendor_server import vendor_server
from tests.fleets import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

DESK, TALKER, NEVER_ANSWERS = "+12025550100", "+12025550112", "+12025550104"
FROZEN_MS = 10_000
"""For an agent whose process hangs: nobody is left who could say a word, so the reaper cuts the line."""
WaitUntil = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]
SAYS = Sentences()
LOCAL = {"stt": {"provider": "local"}, "llm": {"provider": "local", "script": "gym_researcher"}, "tts": {"provider": "local"}}
# Speaks as flite does until the file is there; then a sentence in the agent's voice never comes.
VOICE = """#!/bin/sh
case "$*" in *"-voice rms"*) [ -e "{mark}" ] && exec sleep 600;; esac
exec "{flite}" "$@"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("silent_line")


@pytest.fixture(scope="module")
def mute(folder: Path) -> Path:
    """A file; while it exists, the agent's speech synthesis hangs."""
    flite = shutil.which("flite")
    if flite is None:
        pytest.skip("flite is missing; ./start_scripts/test.sh gets it")
    (folder / "bin").mkdir()
    program = folder / "bin" / "flite"
    program.write_text(VOICE.format(mark=folder / "mute", flite=flite))
    program.chmod(0o755)
    return folder / "mute"


@pytest.fixture(scope="module")
def agents(folder: Path) -> Path:
    """Where a test may put a personality."""
    shutil.copytree(PROJECT / "agents", folder / "agents")
    return folder / "agents"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(mute: Path, agents: Path) -> AsyncIterator[Caller]:
    env = {"CALLS_PER_SECOND": "4", "MAX_CONCURRENT_CALLS": "3", "AGENTS_DIR": str(agents), "DEEPGRAM_API_KEY": "vendor-key"}
    env["PATH"] = f"{mute.parent / 'bin'}:{os.environ['PATH']}"
    async with running(env=env) as fleet:
        caller = caller_of(fleet)
        yield caller
        await caller.http.aclose()


def parts(url: str) -> dict[str, dict[str, Any]]:
    """The components of each call: the faulty vendor first, and a well one after it where the call shall go on."""
    mind, voice = ({"provider": "openai", "base_url": url} for _ in range(2))
    live = {"provider": "openai_realtime", "base_url": url}
    ears = {"provider": "deepgram", "base_url": url}

    def at(vendor: dict[str, Any], fault: str) -> dict[str, Any]:
        return vendor | {"base_url": f"{url}/{fault}"}

    return {
        "model_hangs": {"llm": [at(mind, "hangs"), LOCAL["llm"]]},
        "models_fail": {"llm": [at(mind, "fails"), at(mind, "babbles"), mind | {"base_url": "http://127.0.0.1:9"}]},
        "voice_breaks_off": {"tts": [at(voice, "breaks-off"), LOCAL["tts"]]},
        "voice_hangs_alone": {"tts": at(voice, "hangs")},
        "listener_is_deaf": {"stt": [at(ears, "deaf"), LOCAL["stt"]]},
        "listener_is_deaf_alone": {"stt": at(ears, "deaf")},
        "realtime": {"llm": [at(live, "live")]},
        "realtime_hangs": {"llm": [at(live, "live-hangs")]},
    }


async def test_vendors_that_fail_leave_nobody_in_silence(caller: Caller, agents: Path) -> None:
    """Each call has another fault: whoever has a second vendor goes on, the others apologise and hang up.

    One has none, and a model that hears the sound itself.
    """
    async with vendor_server() as vendor:
        faults(vendor)
        calls = parts(vendor.url)
        for name, components in calls.items():
            content = {"name": name, "extends": "local_demo", "components": LOCAL | components}
            (agents / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        placed = {name: await caller.place(DESK, personality=name, max_call_s=45) for name in calls}
        ended = dict(
            zip(calls, await asyncio.gather(*(caller.end_of(call_id, within_s=180) for call_id in placed.values())), strict=True)
        )
    dials = {name: await caller.hung_up(call_id) for name, call_id in placed.items()}
    turns = {name: await caller.turns(call_id) for name, call_id in placed.items()}
    said = {name: [one["text"] for one in turns[name] if one["speaker"] == "agent"] for name in calls}
    waits = {name: dial["longest_wait_ms"] for name, dial in dials.items()}
    print(waits, {name: (call["outcome"], call["reason"]) for name, call in ended.items()}, said, sep="\n")
    assert max(waits.values()) <= SILENCE_S * 1000, waits
    goes_on = {name for name in calls if ended[name]["outcome"] == "completed"}
    assert goes_on == {"model_hangs", "voice_breaks_off", "listener_is_deaf", "realtime"}, ended
    for name in calls:
        assert (SAYS.trouble in said[name]) == (name not in goes_on), said[name]
    assert SAYS.filler in said["voice_hangs_alone"] and SAYS.filler in said["realtime_hangs"]
    assert SAYS.pardon in said["listener_is_deaf_alone"]
    assert ended["realtime"]["reason"] == "The agent said goodbye."
    assert GOODBYE in said["realtime"] and {one["speaker"] for one in turns["realtime"]} == {"agent", "callee"}
    heard = " ".join(one["text"].lower() for one in dials["realtime"]["transcript"] if one["speaker"] == "agent")
    assert "thank you very much" in heard


async def test_a_frozen_agent_is_hung_up_on_and_rings_nobody_when_it_wakes(caller: Caller, wait_until: WaitUntil) -> None:
    """Two of my agents froze, one talking, one ringing: both lines were cut, and waking up they did no more harm."""
    talking, ringing = await caller.place(TALKER), await caller.place(NEVER_ANSWERS)
    await caller.state_is(talking, "in_progress")
    await caller.state_is(ringing, "ringing")
    jobs = [await process_of(caller, call_id) for call_id in (talking, ringing)]
    for job in jobs:
        os.kill(job, signal.SIGSTOP)
    cut = [await caller.hung_up(call_id, within_s=20) for call_id in (talking, ringing)]
    outcomes = [(await caller.end_of(call_id))["outcome"] for call_id in (talking, ringing)]
    for job in jobs:
        os.kill(job, signal.SIGCONT)

    async def gone() -> bool:
        return all(ended(job) for job in jobs)

    await wait_until(gone, 30)
    assert outcomes == ["agent_failed", "indeterminate"]
    assert cut[0]["longest_silence_ms"] <= FROZEN_MS
    assert [len(await caller.dials(call_id)) for call_id in (talking, ringing)] == [1, 1]


async def test_an_agent_that_never_had_a_voice_hangs_up(caller: Caller, mute: Path) -> None:
    """Somebody picked up and not even the apology was ready: they were not kept waiting, and the call says that we failed."""
    mute.touch()  # noqa: ASYNC240 - a test's own folder
    call_id = await caller.place(DESK)
    call = await caller.end_of(call_id)
    assert (call["outcome"], call["reason"]) == ("agent_failed", "The agent fell silent.")
    dial = await caller.hung_up(call_id)
    assert dial["ended_by"] == "caller"
    assert dial["longest_wait_ms"] <= SILENCE_S * 1000


async def process_of(caller: Caller, call_id: str) -> int:
    """Return the id of the process in which a call's agent runs."""
    store = await connect(caller.fleet.settings.redis_url)
    call = await Records(store, lease_s=7, retention_s=60).load(call_id)
    await store.close()
    return int((call.worker_id or "").rpartition(":")[2])
