"""What the carrier was asked and what came of it: one Dial for every request, written down before anything is done about it.

With a file, every change is one more JSON line; the last line of a dial counts, so that a restart keeps the counts.
The lines hold numbers and simulated speech; the file is a test's, not a log.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

CALL_ID = "voicefleet.call_id"
ATTEMPT = "voicefleet.attempt"
KEPT = 50_000  # dials in memory; a carrier that runs for weeks forgets the oldest, its file does not


@dataclass(slots=True)
class Spoken:
    """One utterance: said by the callee, or heard from the agent. Times in ms since the answer."""

    speaker: str
    text: str
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Dial:
    """One call: a CreateSIPParticipant request, or an INVITE that came in."""

    sip_call_id: str
    to_number: str
    from_number: str
    room: str
    identity: str
    attributes: dict[str, str]
    arrived_at: datetime
    arrived_monotonic_s: float
    direction: str = "outbound"
    trunk_id: str = ""
    call_id: str = ""
    attempt: str = ""
    scenario: str = ""
    result: str = "dialing"
    """dialing, ringing, answered, or how it failed: a SIP status such as "486", or a Twirp code such as "canceled".

    An INVITE that came in and that nothing answers is dropped, and `why` says for what.
    """
    why: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    """callee, caller, time_limit, transfer, carrier. The fleet hangs up by deleting the room or removing the participant."""
    first_word_ms: int | None = None
    turns_ms: list[int] = field(default_factory=list)
    longest_silence_ms: int | None = None
    longest_wait_ms: int | None = None
    """The agent's longest silence after the answer or the callee's words; a "Hello?" in between does not end it."""
    digits_heard: str = ""
    transcript: list[Spoken] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Dial":
        moments = {key: datetime.fromisoformat(data[key]) for key in ("arrived_at", "answered_at", "ended_at") if data[key]}
        return cls(**{**data, **moments, "transcript": [Spoken(**spoken) for spoken in data["transcript"]]})


class Ledger:
    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._dials: dict[str, Dial] = {}
        if path is not None and path.exists():
            written = path.read_text("utf-8")
            if written and not written.endswith("\n"):
                path.write_text(written + "\n", "utf-8")
            for line in written.splitlines():
                dial = _read(line)
                if dial is not None:
                    self._dials[dial.sip_call_id] = dial
            for dial in self._dials.values():
                if dial.ended_at is None:
                    dial.ended_by = "carrier"

    def write(self, dial: Dial) -> None:
        """Keep `dial` as it is now."""
        self._dials[dial.sip_call_id] = dial
        if len(self._dials) > KEPT:
            del self._dials[next(iter(self._dials))]
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dial.to_json(), separators=(",", ":")) + "\n")

    def dials(self, call_id: str | None = None) -> Iterable[Dial]:
        """Every dial, or those of one call, in the order of their arrival."""
        return [dial for dial in self._dials.values() if call_id is None or dial.call_id == call_id]


def _read(line: str) -> Dial | None:
    """None for the half line that a killed process may leave."""
    try:
        return Dial.from_json(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None
