"""One run of every check: ruff, mypy, pytest. The order lives here; what is checked lives in pyproject.toml.

With arguments only pytest runs, and gets them. The last line of the output is pytest's, or the sum of its two passes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from xml.etree import ElementTree

from modules.setup.desktop_parts import find_chromium
from modules.setup.everything import set_up_for_tests
from modules.setup.places import PROJECT, venv_python
from modules.setup.progress import Progress
from modules.setup.throwaway_postgres import throwaway_postgres

_LIVE = "livekit or chaos or browser"  # whole fleets speaking in real time: two at once starve each other on two cores
_TEAR_DOWN_S = 30
_SECOND_TRIES = 8
_COUNTED = ("tests", "failures", "errors", "skipped")
_NO_TESTS = 5  # pytest's exit code when nothing was selected
_TYPED = ("modules", "tests", "benchmarks")


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
        if pytest_args:
            return _run(env, "pytest", *pytest_args)
        return _everything(env)


def _everything(env: Mapping[str, str]) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="voicefleet-checks-") as folder:
        parts, live, again = (Path(folder) / f"{name}.xml" for name in ("parts", "live", "again"))
        results = {
            "ruff": _run(env, "ruff", "check", "."),
            "mypy": _run(env, "mypy", "--strict", *_typed_paths()),
            "tests of parts": _pytest(env, "-m", f"not ({_LIVE})", "-n", "2", f"--junitxml={parts}"),
            "live tests": _pytest(env, "-m", _LIVE, f"--junitxml={live}"),
        }
        if results["live tests"] and failures(live) <= _SECOND_TRIES:
            # Two voices in real time on a busy machine: who fails once and then passes alone is told, and is not the end of it.
            results["live tests"] = _pytest(env, "-m", _LIVE, "--last-failed", f"--junitxml={again}")
        print("; ".join(f"{name}: {'failed' if code else 'ok'}" for name, code in results.items()))
        print(sum_of_passes([parts, live], time.monotonic() - started, again), flush=True)
    return next((code for code in results.values() if code), 0)


def _run(env: Mapping[str, str], module: str, *args: str) -> int:
    command = [str(venv_python()), "-m", module, *args]
    with subprocess.Popen(command, cwd=PROJECT, env=env, stdin=subprocess.DEVNULL) as running:
        try:
            return running.wait()
        except BaseException:  # we are told to stop: pytest tears its fixtures down on SIGINT, and only then
            running.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                running.wait(_TEAR_DOWN_S)
            running.kill()
            raise


def _pytest(env: Mapping[str, str], *args: str) -> int:
    code = _run(env, "pytest", *args)
    return 0 if code == _NO_TESTS else code


def _typed_paths() -> list[str]:
    return [name for name in _TYPED if (PROJECT / name).is_dir()] + sorted(path.name for path in PROJECT.glob("*.py"))


def failures(report: Path) -> int:
    """How many tests of a pass failed or could not be set up."""
    return sum(count(suite, "failures", "errors") for suite in suites([report]))


def sum_of_passes(reports: list[Path], elapsed_s: float, again: Path | None = None) -> str:
    """The passes' results as one line in pytest's own form; `again` is the second try of what failed."""
    found = suites(reports)
    tests, failed, errors, skipped = (sum(count(suite, word) for suite in found) for word in _COUNTED)
    mended = sum(count(suite, "tests") - count(suite, "failures", "errors") for suite in suites([again] if again else []))
    failed, errors = max(0, failed - mended), max(0, errors - max(0, mended - failed))
    passed = tests - failed - errors - skipped
    parts = ((failed, "failed"), (passed, "passed"), (skipped, "skipped"), (errors, "errors"), (mended, "at the second try only"))
    said = ", ".join(f"{number} {word}" for number, word in parts if number) or "no tests ran"
    return f" {said} in {elapsed_s:.2f}s ".center(80, "=")


def suites(reports: list[Path]) -> list[ElementTree.Element]:
    return [suite for report in reports if report.exists() for suite in ElementTree.parse(report).iter("testsuite")]


def count(suite: ElementTree.Element, *words: str) -> int:
    return sum(int(suite.get(word, "0")) for word in words)


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:]))
