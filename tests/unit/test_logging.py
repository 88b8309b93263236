"""What is logged can be shown to anybody: no phone number, nothing that was said, whoever wrote the line and however."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from modules.metrics_logger.logging import keep_private
from tests.unit.source_tree import PROJECT

pytestmark = pytest.mark.unit

CANARY = "+12025550147"
SPOKEN = "the patient's secret is quokka"

PROGRAM = f"""
import logging, sys, warnings
from dataclasses import dataclass
from modules.metrics_logger import configure, get_logger
import structlog

configure(sys.argv[1], "INFO")
CANARY, SPOKEN = {CANARY!r}, {SPOKEN!r}
log = get_logger("voice_agent")

@dataclass
class Thing:
    number: str

log.info("as.a.field", to=CANARY, call_id="outbound-1")
log.info("inside", nested={{"list": [CANARY, (CANARY,)], CANARY: 1, "pii.deep": SPOKEN}})
log.info("as.an.object", thing=Thing(CANARY), many={{CANARY}}, raw=CANARY.encode())
log.info(f"in the event {{CANARY}}")
log.info("sip", uri=f"sip:{{CANARY[1:]}}@carrier.example", tel=f"tel:{{CANARY}}")
log.info("written", spaced="+1 202-555-0147", brackets="+1 (202) 555.0147")
log.info("spoken", **{{"pii.text": SPOKEN, "pii.callee": SPOKEN}})
structlog.contextvars.bind_contextvars(**{{"caller": CANARY, "pii.name": SPOKEN}})
log.warning("with.context")
structlog.contextvars.clear_contextvars()
other = logging.getLogger("somebody.else")
other.warning("dialling %s now", CANARY)
other.warning("dialling " + CANARY)
other.error("with an extra", extra={{"number": CANARY}})
other.warning("%(who)s", {{"who": CANARY}})
def fails():
    raise ValueError(f"cannot dial {{CANARY}}")
try:
    fails()
except ValueError as error:
    log.exception("crashed", call_id="outbound-1")
    other.exception("crashed too")
    log.error("as.text", error=error)
    try:
        raise RuntimeError("outer") from error
    except RuntimeError:
        log.exception("chained")
logging.captureWarnings(True)
warnings.warn(f"beware of {{CANARY}}")
log.info("the.end")
"""


def lines_of(log_format: str) -> str:
    """Return what a process writes that logs a number and speech in every way there is."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == ""
    assert "the.end" in ran.stderr
    return ran.stderr


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_number_and_no_speech_reaches_the_log(log_format: str) -> None:
    """I can hand a log to a stranger: every number in it is masked, and nobody's words are there."""
    text = lines_of(log_format)
    digits = "".join(character for character in text if character not in " -().")
    for shown in (CANARY, CANARY[1:], CANARY[5:]):
        assert shown not in digits, [line for line in text.splitlines() if shown in line]
    assert "quokka" not in text
    assert "+1202*****47" in text


def test_json_lines_are_json_with_the_fields_one_needs() -> None:
    """A log collector reads every line: event, level, time, logger; exceptions stay inside their line."""
    lines = [json.loads(line) for line in lines_of("json").splitlines()]
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)
    crashed = next(line for line in lines if line["event"] == "crashed")
    assert crashed["call_id"] == "outbound-1"
    assert "ValueError: cannot dial +1202*****47" in crashed["exception"]
    assert next(line for line in lines if line["event"] == "crashed too")["logger"] == "somebody.else"


def test_the_last_words_of_a_broken_process_are_private_too() -> None:
    """A crash that nobody caught is one log line, and its text is masked like any other."""
    program = (
        "from modules.metrics_logger import configure\nconfigure('json', 'INFO')\n"
        f"raise ValueError('cannot dial {CANARY}')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert json.loads(line)["event"] == "process.crashed"
    assert CANARY not in line


def test_levels_are_kept() -> None:
    """At WARNING nothing chatty is written, whoever wants to."""
    program = (
        "import logging\nfrom modules.metrics_logger import configure, get_logger\n"
        "configure('json', 'WARNING')\nget_logger('a').info('quiet')\nlogging.getLogger('b').info('quiet')\n"
        "get_logger('a').warning('loud')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60)
    assert "quiet" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("harmless", [
    "outbound-20261121-040102-abcdef123456", "1763700000000-0", "2026-11-21T04:01:02.123456+00:00", "12345678", 1763700000,
    12.5, True, None, "7 calls", "+1", "1+1=2", "127.0.0.1:6379", "a+b", "vf:call:x",
])  # fmt: skip
def test_what_is_no_number_is_left_alone(harmless: Any) -> None:
    """Ids, times and counts stay readable."""
    assert keep_private(None, "info", {"value": harmless}) == {"value": harmless}


def test_configuring_twice_writes_lines_once() -> None:
    """A job process that is configured again does not repeat itself."""
    program = (
        "from modules.metrics_logger import configure, get_logger\n"
        "configure('json', 'INFO')\nconfigure('json', 'INFO')\nget_logger('a').info('once')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60)
    assert len(ran.stderr.splitlines()) == 1


def test_importing_configures_nothing() -> None:
    """Only a process that asks for it gets our logging; a test or a tool keeps its own."""
    before = list(logging.getLogger().handlers)
    __import__("modules.metrics_logger")
    assert logging.getLogger().handlers == before
