"""One run of every check: ruff, mypy, pytest. The order lives here; what is checked lives in pyproject.toml.

With arguments only pytest runs, and gets them. The last line of the output is pytest's, or the sum of its passes.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from modules.setup.check_report import failures, sum_of_passes
from modules.setup.desktop_parts import find_chromium
from modules.setup.everything import set_up_for_tests
from modules.setup.places import PROJECT, venv_python
from modules.setup.progress import Progress
from modules.setup.throwaway_postgres import throwaway_postgres

_LIVE = "fleet or chaos or browser"  # whole fleets speaking in real time: two at once starve each other on two cores
_TEAR_DOWN_S = 30
_SECOND_TRIES = 8
_NO_TESTS = 5  # pytest's exit code when nothing was selected
_TYPED = ("modules", "tests", "benchmarks")
_MEEKLY = ("nice", "-n", "15")  # beside voices in real time: they go first


def run_checks(args: list[str]) -> int:
    """Sets up, checks, and returns the exit code of the first check that failed."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that Postgres is stopped
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would pytest
    progress = Progress()
    set_up_for_tests(progress)
    with ExitStack() as stack:
        env = dict(os.environ)
        if chromium := find_chromium():
            env["CHROMIUM_BIN"] = str(chromium)
        if "--postgres" in args:
            env["TEST_POSTGRES_URL"] = stack.enter_context(throwaway_postgres(progress))
        pytest_args = [arg for arg in args if arg != "--postgres"]
        return asyncio.run(_run(env, "pytest", *pytest_args) if pytest_args else _everything(env))


@dataclass(frozen=True, slots=True)
class _Pass:
    """Some of the tests, what pytest writes of them, and of those that failed and were tried again."""

    name: str
    select: str
    folder: Path

    @property
    def report(self) -> Path:
        return self.folder / f"{self.name}.xml"

    @property
    def again(self) -> Path:
        return self.folder / f"{self.name}, again.xml"

    def args(self, report: Path, *more: str) -> list[str]:
        return ["-m", self.select, "-o", f"cache_dir={self.folder / self.name}", f"--junitxml={report}", *more]


async def _everything(env: Mapping[str, str]) -> int:
    started = time.monotonic()
    print("ruff, mypy and the tests of parts run beside the live tests; their output comes at the end", flush=True)
    with tempfile.TemporaryDirectory(prefix="voicefleet-checks-") as name, tempfile.TemporaryFile() as quiet:
        parts = _Pass("tests of parts", f"not ({_LIVE})", Path(name))
        live = _Pass("live tests", _LIVE, Path(name))
        async with asyncio.TaskGroup() as both:
            beside = both.create_task(_beside(env, parts, quiet))
            first_try = both.create_task(_pytest(env, *live.args(live.report)))
        results = beside.result() | {live.name: first_try.result()}
        quiet.seek(0)
        shutil.copyfileobj(quiet, sys.stdout.buffer)
        sys.stdout.flush()
        for tried in (parts, live):
            if results[tried.name] and 0 < failures(tried.report) <= _SECOND_TRIES:
                # Two cores, and voices in real time: who fails and then passes alone is told, and is not the end of it.
                results[tried.name] = await _pytest(env, *tried.args(tried.again, "--last-failed"))
        print("; ".join(f"{name}: {'failed' if code else 'ok'}" for name, code in results.items()))
        elapsed_s = time.monotonic() - started
        print(sum_of_passes([parts.report, live.report], elapsed_s, [parts.again, live.again]), flush=True)
    return next((code for code in results.values() if code), 0)


async def _beside(env: Mapping[str, str], parts: _Pass, out: IO[bytes]) -> dict[str, int]:
    """Every check that does not speak, one after the other."""
    return {
        "ruff": await _run(env, "ruff", "check", ".", out=out),
        "mypy": await _run(env, "mypy", "--strict", *_typed_paths(), out=out),
        parts.name: await _pytest(env, *parts.args(parts.report, "-n", "2"), out=out),
    }


async def _run(env: Mapping[str, str], module: str, *args: str, out: IO[bytes] | None = None) -> int:
    """Run a module of ours; with `out` meekly, and what it says goes there."""
    meekly = _MEEKLY if out and shutil.which("nice") else ()
    command = [*meekly, str(venv_python()), "-m", module, *args]
    running = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
    )
    try:
        return await running.wait()
    except BaseException:  # we are told to stop: pytest tears its fixtures down on SIGINT, and only then
        with suppress(ProcessLookupError):
            running.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(running.wait(), _TEAR_DOWN_S)
            running.kill()
        raise


async def _pytest(env: Mapping[str, str], *args: str, out: IO[bytes] | None = None) -> int:
    code = await _run(env, "pytest", *args, out=out)
    return 0 if code == _NO_TESTS else code


def _typed_paths() -> list[str]:
    return [name for name in _TYPED if (PROJECT / name).is_dir()] + sorted(path.name for path in PROJECT.glob("*.py"))


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:]))
