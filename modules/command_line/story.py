"""A call as its events tell it: which states when, who said what, how fast. Built from events only; prints nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modules.calls import State
from modules.command_line.api_client import LiveEvent

_STATES = {f"call.{state.value}": state.value for state in State}


@dataclass(slots=True)
class Story:
    """What has been told so far."""

    call_id: str
    outcome: str | None = None
    reason: str = ""
    states: list[tuple[str, datetime]] = field(default_factory=list)
    turns: dict[int, dict[str, Any]] = field(default_factory=dict)
    first_word_ms: float | None = None

    def hear(self, event: LiveEvent) -> None:
        """Take in one event."""
        if state := _STATES.get(event.type):
            self.states.append((state, event.at))
            self.outcome, self.reason = event.data.get("outcome"), event.data.get("reason") or ""
        elif event.type == "call.turn":
            self.turns[int(event.data["index"])] = event.data
        elif event.type == "call.first_word":
            self.first_word_ms = event.data["first_word_ms"]

    @property
    def turns_ms(self) -> list[float]:
        """How long the agent took for each of its answers."""
        spoken = [turn for _, turn in sorted(self.turns.items())]
        return [turn["latency_ms"] for turn in spoken if turn["speaker"] == "agent" and turn.get("latency_ms") is not None]

    def to_json(self, transcript: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the whole call as `demo --json` prints it."""
        kept = ("speaker", "text", "start_s", "end_s")
        return {
            "call_id": self.call_id,
            "outcome": self.outcome,
            "states": [{"state": state, "at": at.isoformat()} for state, at in self.states],
            "transcript": [{name: turn[name] for name in kept} for turn in transcript],
            "latency": {"first_word_ms": self.first_word_ms, "turns_ms": self.turns_ms},
            "recording": None,
        }
