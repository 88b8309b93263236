"""docs/call-states.md, drawn from the tables that run: states, events, transitions, outcomes, retries, SIP codes.

Nothing is described twice: each word's sentence is the one that stands below it in the source. `python -m docs.generate` writes
the page; a test compares.
"""

import ast
import inspect
from collections.abc import Iterable
from enum import Enum

from modules.calls.lifecycle import TRANSITIONS
from modules.calls.outcomes import BY_SIP_CODE, BY_TWIRP_CODE, RETRY, Outcome, Retry
from modules.calls.retry import FIRST_PAUSE, FRUITLESS_PLACINGS, LONGEST_PAUSE
from modules.calls.states import Event, State

_RETRY = {Retry.NEVER: "no", Retry.LATER: "later, if more attempts were asked for", Retry.SAFE: "at once: nothing was dialled"}


def sentences(words: type[Enum]) -> dict[str, str]:
    """Return the sentence below each member in the source of an enum."""
    (definition,) = ast.parse(inspect.getsource(words)).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for member, after in zip(definition.body, definition.body[1:], strict=False):
        match member, after:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(sentence))):
                found[words[name].value] = " ".join(sentence.split())
    return found


def page() -> str:
    """Return the whole page."""
    return "\n\n".join(
        [
            "# The states of a call",
            "Drawn from `modules/calls` by `python -m docs.generate`; a test compares.",
            "A call is in exactly one state. Programs do not set it: they report events, and one table (`lifecycle.py`)\n"
            "says what follows. What is not in it is refused and changes nothing. A report about an ended call is ignored.",
            f"```mermaid\n{diagram()}\n```",
            "## States",
            _words("state", State),
            "## Events",
            _words("event", Event),
            "## What may follow what",
            _table(("in state", "event", "leads to"), _transitions()),
            "`dialing` is on disk before the dial request leaves. From then on a crash is `indeterminate`, never a second dial.\n"
            "Where two states may follow, the call goes back to the queue if it may be tried again, and ends if not.",
            "## Outcomes",
            _table(("outcome", "means", "tried again?"), _outcomes()),
            f"The first pause is {_minutes(FIRST_PAUSE.total_seconds())}, each further one twice as long, at most "
            f"{_minutes(LONGEST_PAUSE.total_seconds())}.\nA placing from which no dial came is redone after a second, then more "
            f"slowly; after {FRUITLESS_PLACINGS} of them the call ends as `infrastructure`.",
            "## Words that are computed",
            "`scheduled`: queued, and its time has not come. `retrying`: queued again after a failed attempt. The API shows\n"
            "both as `status_text`; they are stored nowhere.",
            "## What the phone network says",
            _table(("SIP status", "outcome", "sentence"), _sip()),
            "Any other 5xx is `carrier_error`, any other answer `carrier_rejected`. Errors without a SIP status:",
            _table(("LiveKit's code", "outcome", "sentence"), _twirp()),
            "Anything else, a time-out above all, is `indeterminate`: the phone may have rung.",
        ]
    ) + "\n"  # fmt: skip


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> queued: accepted", "    [*] --> ringing: inbound"]
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, event), following in TRANSITIONS.items():
        for after in following:
            arrows.setdefault((state, after), []).append(event.value)
    lines += [f"    {here.value} --> {there.value}: {', '.join(events)}" for (here, there), events in arrows.items()]
    return "\n".join([*lines, f"    {State.ENDED.value} --> [*]"])


def _words(title: str, words: type[Enum]) -> str:
    return _table((title, "means"), ((f"`{word}`", sentence) for word, sentence in sentences(words).items()))


def _transitions() -> Iterable[tuple[str, ...]]:
    for (state, event), following in TRANSITIONS.items():
        yield f"`{state.value}`", f"`{event.value}`", " or ".join(f"`{after.value}`" for after in following)


def _outcomes() -> Iterable[tuple[str, ...]]:
    meanings = sentences(Outcome)
    return ((f"`{outcome.value}`", meanings[outcome.value], _RETRY[RETRY[outcome]]) for outcome in Outcome)


def _sip() -> Iterable[tuple[str, ...]]:
    return ((str(code), f"`{meaning.outcome.value}`", meaning.sentence) for code, meaning in BY_SIP_CODE.items())


def _twirp() -> Iterable[tuple[str, ...]]:
    return ((f"`{code}`", f"`{meaning.outcome.value}`", meaning.sentence) for code, meaning in BY_TWIRP_CODE.items())


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = tuple(titles)
    lines = [" | ".join(titles), " | ".join("---" for _ in titles), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return "1 hour" if minutes == 60 else f"{minutes} minutes"
