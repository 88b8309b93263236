"""What pytest wrote of its passes, as one line."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

_COUNTED = ("tests", "failures", "errors", "skipped")


def failures(report: Path) -> int:
    """How many tests of a pass failed or could not be set up."""
    return sum(_count(suite, "failures", "errors") for suite in _suites([report]))


def sum_of_passes(reports: list[Path], elapsed_s: float, again: Sequence[Path] = ()) -> str:
    """The passes' results as one line in pytest's own form; `again` are the second tries of what failed."""
    found = _suites(reports)
    tests, failed, errors, skipped = (sum(_count(suite, word) for suite in found) for word in _COUNTED)
    mended = sum(_count(suite, "tests") - _count(suite, "failures", "errors") for suite in _suites(again))
    failed, errors = max(0, failed - mended), max(0, errors - max(0, mended - failed))
    passed = tests - failed - errors - skipped
    parts = ((failed, "failed"), (passed, "passed"), (skipped, "skipped"), (errors, "errors"), (mended, "at the second try only"))
    said = ", ".join(f"{number} {word}" for number, word in parts if number) or "no tests ran"
    return f" {said} in {elapsed_s:.2f}s ".center(80, "=")


def _suites(reports: Sequence[Path]) -> list[ElementTree.Element]:
    return [suite for report in reports if report.exists() for suite in ElementTree.parse(report).iter("testsuite")]


def _count(suite: ElementTree.Element, *words: str) -> int:
    return sum(int(suite.get(word, "0")) for word in words)
