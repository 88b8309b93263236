"""A benchmark runs as its page says and prints one object. Its figures are not looked at: they belong to the machine."""

import asyncio
import json
import sys

import pytest

from modules.setup.places import PROJECT

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(150)]


async def test_a_benchmark_prints_ours_the_peers_and_the_limit_as_one_object() -> None:
    """I ran one round with --json and could read the result as a program."""
    command = (sys.executable, "benchmarks/post_to_dial.py", "--rounds", "1", "--json")
    program = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, progress = await program.communicate()
    assert program.returncode == 0, progress.decode()
    told = json.loads(out)
    assert list(told) == ["name", "ours", "peer", "limit", "ratio", "rounds", "machine"]
    assert told["name"] == "post_to_dial"
    for part in ("ours", "peer", "limit"):
        assert told[part]["unit"] == "ms"
        assert len(told[part]["samples"]) == 1
    assert {"cpu", "cores", "kernel", "load_start", "load_end", "versions"} <= told["machine"].keys()
    assert "round 1 of 1" in progress.decode()


@pytest.mark.parametrize("name", ["turn_latency", "first_word", "post_to_dial"])
async def test_each_benchmark_says_what_it_measures(name: str) -> None:
    """I asked for --help before I gave it minutes of my machine."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, f"benchmarks/{name}.py", "--help", cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await program.communicate()
    assert program.returncode == 0
    assert {"--json", "--rounds", "--peer"} <= set(out.decode().replace("]", " ").split())
