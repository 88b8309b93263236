"""From an event to rows, without I/O: which row of which table an event writes, and the values in it.

Events come from processes of our own, perhaps newer or older than this one: unknown fields are kept in the record and
ignored here; a value that cannot be read raises, and the recorder sets the event aside.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from modules.call_queue_manager import StreamEvent
from modules.calls import Call, Event, State

TURN = "call.turn"
_KNOWN = frozenset(item.name for item in fields(Call))
_STATE_CHANGES = frozenset(f"call.{state.value}" for state in State)
# Only these end an attempt whose call goes back to the queue; a postponed call was never taken out of it.
_FAILED = (Event.ATTEMPT_FAILED.value, Event.LOST.value)
_TOLD = ("event", "state", "outcome", "last_outcome", "reason", "sip_status_code", "attempt", "room", "worker_id")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """What one event writes. `call` and `attempt` are None where the event tells nothing about them."""

    call: Row | None
    attempt: Row | None
    turn: Row | None
    event: Row | None


def rows(event: StreamEvent) -> Rows:
    """Return what `event` writes. Raises ValueError, KeyError or TypeError where it cannot be read."""
    data = storable(event.data)
    if not isinstance(data, dict):
        raise TypeError("an event's data is an object")
    key = event_key(event.id)
    if event.type == TURN:
        return Rows(None, None, _turn(event.call_id, key, data), None)
    if event.type not in _STATE_CHANGES and not {"call_id", "version"} <= data.keys():
        return Rows(None, None, None, _event(event, key, data))
    if data["call_id"] != event.call_id:
        raise ValueError("the event's record belongs to another call")
    call = read_call(data)
    record = {name: value for name, value in data.items() if name != "event"}
    return Rows(
        _call(call, record),
        _attempt(call, data.get("event"), event.at),
        None,
        _event(event, key, {name: data[name] for name in _TOLD if data.get(name) is not None}),
    )


def read_call(record: dict[str, Any]) -> Call:
    """Return the call of a record that another version of Voicefleet may have written."""
    return Call.from_json({name: value for name, value in record.items() if name in _KNOWN})


def event_key(event_id: str) -> str:
    """Return a stream id so that text order is stream order: "1763700000000-2" becomes "01763700000000-0000000002"."""
    milliseconds, _, sequence = event_id.partition("-")
    return f"{int(milliseconds):014d}-{int(sequence or 0):010d}"


def event_id(key: str) -> str:
    """Return the stream id of an event_key."""
    milliseconds, _, sequence = key.partition("-")
    return f"{int(milliseconds)}-{int(sequence)}"


def folded(text: str) -> str:
    """Return text as it is compared when searching: case and runs of white space do not matter, in any language."""
    return " ".join(text.casefold().split())


def storable(value: Any) -> Any:
    """Return JSON data that both databases can hold: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def _call(call: Call, record: Row) -> Row:
    talked = call.ended_at - call.answered_at if call.ended_at and call.answered_at else None
    return {
        "call_id": call.call_id,
        "version": int(call.version),
        "direction": call.direction.value,
        "state": call.state.value,
        "outcome": call.outcome.value if call.outcome else None,
        "reason": call.reason,
        "sip_status_code": call.sip_status_code,
        "attempt": int(call.attempt),
        "dials": int(call.dials),
        "to_number": call.to_number,
        "from_number": call.from_number,
        "personality": call.personality,
        "arm": call.arm,
        "trunk": call.trunk,
        "simulated": bool(call.simulated),
        "caller_name": call.caller_name,
        "caller_folded": folded(call.caller_name),
        "api_key_id": call.api_key_id,
        "created_at": call.created_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "duration_s": talked.total_seconds() if talked is not None else None,
        "record": record,
        "export_due": None,
    }


def _attempt(call: Call, said: Any, at: datetime) -> Row | None:
    """The row of the attempt this version of the call tells about.

    An inbound call has no placing: its one attempt starts ringing.
    """
    failed = call.state is State.QUEUED and said in _FAILED
    if not failed and not _under_way(call):
        return None
    outcome = call.last_outcome if failed else call.outcome
    return {
        "call_id": call.call_id,
        "attempt": max(int(call.attempt), 1),
        "version": int(call.version),
        "placing_at": call.placing_at,
        "ringing_at": call.ringing_at,
        "answered_at": call.answered_at,
        "ended_at": at if failed else call.ended_at,
        "outcome": outcome.value if outcome else None,
        "sip_status_code": call.sip_status_code,
        "reason": call.reason,
        "room": call.room,
        "worker_id": call.worker_id,
    }


def _under_way(call: Call) -> bool:
    """Is this version of the call about an attempt, and not about waiting for one or ending while it waited?"""
    if call.state is State.QUEUED:
        return False
    if call.placing_at is None:
        return call.ringing_at is not None
    waited = call.last_outcome is not None and call.not_before is not None and call.placing_at < call.not_before
    return not (call.state is State.ENDED and waited)


def _turn(call_id: str, key: str, data: Row) -> Row:
    text = str(data["text"])
    latency_ms = data.get("latency_ms")
    return {
        "call_id": call_id,
        "index": int(data["index"]),
        "event_key": key,
        "speaker": str(data["speaker"]),
        "text": text,
        "folded": folded(text),
        "start_s": float(data["start_s"]),
        "end_s": float(data["end_s"]),
        "interrupted": bool(data.get("interrupted", False)),
        "latency_ms": float(latency_ms) if latency_ms is not None else None,
        "keys": str(data.get("keys", "")),
    }


def _event(event: StreamEvent, key: str, data: Row) -> Row:
    return {"call_id": event.call_id, "event_key": key, "type": event.type, "at": event.at, "data": data}
