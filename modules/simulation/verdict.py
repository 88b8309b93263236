"""Did a simulated call go as its scenario expects? Judged from the ledger alone; it may fail a call, never rescue one."""

import re
from collections.abc import Iterable, Iterator

from modules.conversation.speech.local.words import plain
from modules.simulation.ledger import Dial
from modules.simulation.scenario import Scenario


def shortcomings(scenario: Scenario, dial: Dial, outcome: str) -> list[str]:
    """What is not as expected, one sentence each; nothing if all is well."""
    return list(_shortcomings(scenario, dial, outcome))


def _shortcomings(scenario: Scenario, dial: Dial, outcome: str) -> Iterator[str]:
    expect = scenario.expect
    if outcome != expect.outcome:
        yield f"the call ended as {outcome}, not {expect.outcome}"
    if len(dial.transcript) < expect.turns_at_least:
        yield f"{len(dial.transcript)} turns were spoken, not {expect.turns_at_least}"
    for speaker, patterns in (("agent", expect.heard), ("callee", expect.said)):
        words = " ".join(plain(spoken.text) for spoken in dial.transcript if spoken.speaker == speaker)
        yield from (f"the {speaker} never said: {pattern}" for pattern in _missing(patterns, words))


def _missing(patterns: Iterable[str], words: str) -> Iterator[str]:
    return (pattern for pattern in patterns if not re.search(pattern, words))
