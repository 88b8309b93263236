"""docs/simulated-carrier.md lists the numbers there are."""

import pytest

from modules.setup.places import PROJECT
from modules.simulation import load_scenarios

pytestmark = pytest.mark.unit


def test_the_page_lists_every_number() -> None:
    """I can look up what a number does, and the page is right."""
    page = (PROJECT / "docs" / "simulated-carrier.md").read_text("utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| +1202")]
    scenarios = sorted(load_scenarios(PROJECT / "scenarios").values(), key=lambda scenario: scenario.number)
    assert listed == [f"| {s.number} | {s.name} | {s.about} | `{s.expect.outcome}` |" for s in scenarios]
