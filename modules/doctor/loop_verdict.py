"""What a looped call shows, as lines of the doctor: did it get through, and did each end hear the other? No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config import Settings
from modules.doctor.loop_call import Looped, Way
from modules.doctor.loop_figures import Direction, direction, round_trip_s
from modules.doctor.verdict import Finding, amber, green, not_proven, red

_UNDERSTOOD = 0.5
"""A good line brings nearly all of these simple words; below this, sound gets lost."""
_LONG_WAY_S = 0.8  # ITU-T G.114: people notice 0.15 s each way, and 0.4 s each way is the most a network may take


LOOP_LINES: Mapping[str, tuple[str, str]] = {
    "loop_call": ("A call goes out over SIP and comes in again", "whether both ends were answered and ended in order"),
    "loop_there": ("What the caller says is heard", "words understood there, when the first sound came, the longest silence"),
    "loop_back": ("What the callee says is heard", "the same in the other direction"),
    "loop_round_trip": ("Sound's way there and back", f"how long it takes; more than {_LONG_WAY_S:g} s makes talking hard"),
    "loop_removed": ("Nothing is left behind", "whether the trunk and the rule are gone"),
}
"""The lines there can be, with the title of each and what it tells."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the loop looked at, and what it found."""

    name: str
    finding: Finding

    @property
    def title(self) -> str:
        return LOOP_LINES[self.name][0]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "title": self.title, **self.finding.to_json()}


def lines(looped: Looped, way: Way, settings: Settings) -> Iterator[Line]:
    """Judge a call that was placed. What only some other machine could tell is not proven."""
    through = _through(looped, way, settings)
    yield Line("loop_call", through)
    came_in, went_out = looped.came_in, looped.went_out
    if came_in is None or went_out.record["answered_at"] is None:
        return
    there = direction(went_out.turns, came_in.turns)
    back = direction(came_in.turns, went_out.turns)
    yield Line("loop_there", _heard(there, way, settings))
    yield Line("loop_back", _heard(back, way, settings))
    yield Line("loop_round_trip", _round_trip(round_trip_s(went_out.turns, came_in.turns)))


def removed(left: str) -> Line:
    """Judge the clearing up; `left` is what is still stored and why, "" where nothing is."""
    fix = "Run ./voicefleet doctor --loop again, or ./voicefleet trunks delete inbound-trunk and dispatch-rule by that name."
    found = amber(left, fix) if left else green("The trunk and the rule made for this call are gone.")
    return Line("loop_removed", found)


def _through(looped: Looped, way: Way, settings: Settings) -> Finding:
    out, came_in = looped.went_out, looped.came_in
    said = str(out.record["reason"] or out.record["outcome"] or "It did not end.")
    if came_in is None and way.own and out.completed:
        return not_proven("It was answered, and which of the calls that came in it was cannot be told.", "Try again in a moment.")
    if came_in is None:
        return _missing(f"It went out and did not come in. {said}", _fix_of(out.record, way), settings)
    for end, where in ((out, "calling"), (came_in, "called")):
        if not end.completed:
            how = end.record["reason"] or end.record["outcome"]
            return _missing(f"It ended badly at the {where} end. {how}", _fix_of(end.record, way), settings)
    return green(f"It was answered at both ends; {out.record['duration_s']:.0f} s of call, hung up in order.")


def _fix_of(record: dict[str, Any], way: Way) -> str:
    if record["next_step"]:
        return str(record["next_step"])
    ours = "Is livekit-sip's port the one in SIP_PORT? See its log, and the worker's."
    theirs = "Is the number's carrier configured to bring it here? ./voicefleet doctor --only origination --only inbound_numbers"
    return theirs if way.own else ours


def _heard(found: Direction, way: Way, settings: Settings) -> Finding:
    if found.first_s is None:
        fix = "Open livekit-sip's UDP ports for sound (10000 and up) on this machine; see its log."
        return _missing(f"{found.said} words were said and nothing was heard.", fix, settings)
    times = f"First after {found.first_s:.1f} s, longest silence there {found.silence_s:.1f} s."
    if way.own:  # who answers may speak another language than our caller's ears know
        return green(f"Speech arrived {found.times} time(s). {times}")
    told = f"{found.understood} of {found.said} words understood. {times}"
    if found.understood < _UNDERSTOOD * found.said:
        fix = "Sound gets lost, or the agents are late and talk at once: give the machine more CPU; see livekit-sip's log."
        return amber(told, fix)
    return green(told)


def _round_trip(took_s: float | None) -> Finding:
    if took_s is None:
        return not_proven("No question and its answer were recognised at both ends.")
    told = f"{took_s:.1f} s as the listeners notice it, without the agents' thinking."
    if took_s > _LONG_WAY_S:
        return amber(told, "People will talk over each other; look for a nearer carrier address, or more CPU.")
    return green(told)


def _missing(why: str, fix: str, settings: Settings) -> Finding:
    if settings.sip_use_external_ip:
        more = "livekit-sip tells its public address, which this machine may not reach from the inside."
        return not_proven(f"{why} {more}", "Call in from a phone: that is the way carriers take.")
    return red(why, fix)
