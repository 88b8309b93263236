"""How a call looks from outside. Pure: a record and the time in, an answer out. Derived words are computed here, never stored."""

from datetime import datetime

from modules.api_server.schemas import CallView, Progress
from modules.calls import Call, Direction, Outcome, State
from modules.calls.advice import advice


def call_view(call: Call, now: datetime) -> CallView:
    """Return the call as GET /v1/calls/{id} answers it."""
    record = call.to_json()
    shown = {name: record[name] for name in CallView.model_fields if name in record}
    return CallView.model_validate(
        shown
        | {
            "status_text": status_text(call, now),
            "next_step": _next_step(call),
            "attempts": Progress(placed=call.attempt, dialled=call.dials, most=call.max_attempts),
            "duration_s": _duration_s(call, now),
            "extraction": call.extraction or None,
            "links": _links(call),
        }
    )


def status_text(call: Call, now: datetime) -> str:
    """Return where a call is in one word: its outcome once it has one, otherwise what it is waiting for or doing."""
    if call.outcome:
        return call.outcome.value
    if call.state is not State.QUEUED:
        return call.state.value
    if call.last_outcome:
        return "retrying"
    return "scheduled" if call.not_before and call.not_before > now else "queued"


def _next_step(call: Call) -> str:
    if call.direction is Direction.INBOUND and call.outcome is Outcome.BLOCKED:
        return ""  # the reason says it all, and nobody wanted to dial
    told = advice(call.outcome, call.sip_status_code, call.to_number)
    return told.next_step if told else ""


def _duration_s(call: Call, now: datetime) -> float | None:
    if call.answered_at is None:
        return None
    return round(((call.ended_at or now) - call.answered_at).total_seconds(), 3)


def _links(call: Call) -> dict[str, str]:
    base = f"/v1/calls/{call.call_id}"
    links = {"self": base, "events": f"{base}/events", "transcript": f"{base}/transcript"}
    return links if call.state is State.ENDED else links | {"cancel": f"{base}/cancel"}
