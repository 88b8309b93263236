"""The end of a test run: one line that counts both passes, and a Postgres that is gone."""

import io
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from modules.setup import SetupProblem
from modules.setup.check_report import failures, sum_of_passes
from modules.setup.progress import Progress
from modules.setup.throwaway_postgres import throwaway_postgres
from tests.unit.conftest import Machine

TESTS = "def test_{name}_one(): pass\ndef test_{name}_two(): {two}\n"


def report_of(folder: Path, name: str, two: str) -> Path:
    """Let pytest run two tests, of which the second does `two`; return its report."""
    case, report = folder / f"test_{name}.py", folder / f"{name}.xml"
    case.write_text(TESTS.format(name=name, two=two), encoding="utf-8")
    pytest_alone = [sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "no:asyncio", "-p", "no:cacheprovider"]
    subprocess.run([*pytest_alone, f"--junitxml={report}", case], cwd=folder, stdout=subprocess.DEVNULL, check=False)
    return report


@pytest.mark.unit
def test_the_last_line_counts_both_passes(tmp_path: Path) -> None:
    """I read one line at the end, in pytest's own words."""
    reports = [report_of(tmp_path, "together", "import pytest; pytest.skip('no')"), report_of(tmp_path, "alone", "assert False")]
    assert sum_of_passes(reports, 12.5).strip("= ") == "1 failed, 2 passed, 1 skipped in 12.50s"


@pytest.mark.unit
def test_a_test_that_passes_only_at_the_second_try_is_told(tmp_path: Path) -> None:
    """Nobody can overlook that a test is unsteady; one that fails twice stays failed."""
    first, second = report_of(tmp_path, "alone", "assert False"), tmp_path / "again.xml"
    assert failures(first) == 1
    second.write_text('<testsuites><testsuite tests="1" failures="0" errors="0" skipped="0"/></testsuites>', encoding="utf-8")
    assert sum_of_passes([first], 1, [second]).strip("= ") == "2 passed, 1 at the second try only in 1.00s"
    second.write_text('<testsuites><testsuite tests="1" failures="1" errors="0" skipped="0"/></testsuites>', encoding="utf-8")
    assert sum_of_passes([first], 1, [second]).strip("= ") == "1 failed, 1 passed in 1.00s"


@pytest.mark.unit
def test_a_pass_that_wrote_no_report_is_not_counted(tmp_path: Path) -> None:
    """A run that broke before the first test claims nothing."""
    assert sum_of_passes([tmp_path / "none.xml"], 1).strip("= ") == "no tests ran in 1.00s"


@pytest.mark.sql
def test_the_postgres_of_a_run_is_gone_afterwards() -> None:
    """Even when the run breaks, no server stays."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("postgresql is missing; ./start_scripts/test.sh --postgres gets it")
    with pytest.raises(KeyboardInterrupt), throwaway_postgres(Progress(io.StringIO())) as url:
        found = urlsplit(url)
        assert found.hostname == "127.0.0.1" and found.password
        with socket.create_connection((found.hostname, found.port or 0)):
            raise KeyboardInterrupt
    with pytest.raises(ConnectionRefusedError), socket.create_connection((found.hostname, found.port or 0)):
        pass


@pytest.mark.unit
def test_without_postgres_the_run_says_what_to_type(machine: Machine, tmp_path: Path) -> None:
    """A machine that cannot have it gets a line, not a stack."""
    nothing = throwaway_postgres(Progress(io.StringIO()), installed=tmp_path)
    with pytest.raises(SetupProblem, match="apt-get install postgresql"), nothing:
        pass
