"""/v1/calls and the seed's POST /api/outbound-call: place, list, read, stop, and what was said. Live events: events.py."""

import re
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from modules.api_server.guard import Reads, Writes
from modules.api_server.keys import Principal
from modules.api_server.parts import Now, Parts, Using
from modules.api_server.place import Accepted, accept, foretell, repeat_of
from modules.api_server.schemas import CallView, Cancel, DryRun, MaybeName, Moment, NewCall, OutboundCall, Placed
from modules.api_server.views import call_view
from modules.api_server.webhooks import messages
from modules.call_history import Filters
from modules.call_queue_manager import read_after
from modules.calls import Call, Direction, Disposition, Event, Outcome, Report, State, numbers
from modules.calls.errors import CallAlreadyEnded, NotFound, Unavailable
from modules.metrics_logger import get_logger

log = get_logger(__name__)
router = APIRouter(tags=["calls"])
_ID = re.compile(r"[a-z0-9-]{1,80}", re.ASCII)
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="Send the same key again to repeat a request without a second call.")
]


@router.post("/api/outbound-call")
async def outbound_call(
    body: OutboundCall, principal: Writes, parts: Using, now: Now, response: Response, idempotency_key: IdempotencyKey = None
) -> Placed:
    """Place a call with the default personality."""
    wanted = NewCall.model_validate(body.model_dump())
    return queued(await accept(parts, wanted, principal, repeat_of(idempotency_key, principal, wanted), now), response)


def queued(accepted: Accepted, response: Response) -> Placed:
    """Return the seed interface's answer to a call that was accepted."""
    if accepted.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    masked = numbers.mask(accepted.call.to_number)
    return Placed(call_id=accepted.call.call_id, message=f"The call to {masked} is queued.")


@router.post("/v1/calls", status_code=202, response_model=CallView, responses={200: {"model": DryRun}})
async def place_call(
    body: NewCall, principal: Writes, parts: Using, now: Now, response: Response, idempotency_key: IdempotencyKey = None
) -> CallView | Response:
    """Place a call. `dry_run` answers 200 with what would happen and queues nothing."""
    repeat = repeat_of(idempotency_key, principal, body)
    if body.dry_run:
        return await _dry_run(parts, body, principal, now)
    accepted = await accept(parts, body, principal, repeat, now)
    response.headers["Location"] = f"/v1/calls/{accepted.call.call_id}"
    if accepted.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return call_view(accepted.call, now)


async def _dry_run(parts: Parts, body: NewCall, principal: Principal, now: datetime) -> Response:
    forecast = await foretell(parts, body, principal, now)
    call = forecast.call
    found = DryRun(
        would=forecast.would, reason=forecast.reason, refusal=forecast.refusal, not_before=forecast.at,
        expires_at=call.expires_at, to_number=call.to_number, from_number=call.from_number,
        personality=call.personality, trunk=call.trunk, simulated=call.simulated,
    )  # fmt: skip
    return JSONResponse(found.model_dump(mode="json"))


@router.get("/v1/calls")
async def list_calls(
    request: Request, response: Response, _: Reads, parts: Using, now: Now,
    state: State | None = None, outcome: Outcome | None = None, direction: Direction | None = None,
    personality: MaybeName | None = None, arm: MaybeName | None = None,
    trunk: MaybeName | None = None, simulated: bool | None = None,
    to_number: Annotated[str | None, Query(max_length=32)] = None,
    created_from: Moment | None = None, created_before: Moment | None = None,
    q: Annotated[str | None, Query(min_length=1, max_length=200, description="Looked for in what was said and in names.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:  # fmt: skip
    """List calls, newest first. Follow `next_cursor` (or the Link header) for the next page."""
    wanted = numbers.parse(to_number, parts.settings.default_region) if to_number else None
    filters = Filters(
        state=state, outcome=outcome, direction=direction, personality=personality, arm=arm, trunk=trunk, simulated=simulated,
        to_number=wanted, created_from=created_from, created_before=created_before, text=q,
    )  # fmt: skip
    page = await (await parts.past.get()).search.page(filters, limit=limit, cursor=cursor)
    if page.next_cursor:
        following = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return {"calls": [call_view(call, now) for call in page.calls], "next_cursor": page.next_cursor}


@router.get("/v1/calls/{call_id}")
async def read_call(call_id: str, _: Reads, parts: Using, now: Now) -> CallView:
    """Return one call: as it is now, or, once it is over for a while, as it was recorded."""
    return call_view(await found(parts, call_id), now)


@router.post("/v1/calls/{call_id}/cancel")
async def cancel_call(call_id: str, principal: Writes, parts: Using, now: Now, body: Cancel | None = None) -> CallView:
    """Take a call back: a waiting one is never dialled, a ringing or answered one is hung up."""
    call = await found(parts, call_id)
    if call.state is State.ENDED:
        raise CallAlreadyEnded(f"This call has ended ({call.outcome}).")
    records = (await parts.live.get()).records
    reason = (body.reason if body else "") or f"Cancelled with the API key '{principal.name}'."
    report = Report(Event.CANCELLED, reason=reason)
    # Whoever holds the call keeps its slot until it has hung up; a waiting call has no slot and gives up its place.
    call, disposition = await records.report(call_id, report, release=None if call.state is State.QUEUED else False)
    if disposition is Disposition.REPEATED:
        raise CallAlreadyEnded(f"This call has ended ({call.outcome}).")
    log.info("call.cancelled", call_id=call_id, key_id=principal.key_id)
    return call_view(call, now)


@router.get("/v1/calls/{call_id}/transcript")
async def transcript(call_id: str, _: Reads, parts: Using) -> dict[str, Any]:
    """Return what both sides have said so far. Seconds count from the answer."""
    call = await found(parts, call_id)
    turns = await _live_turns(parts, call_id)
    texts = await messages.of(parts, call_id, live=turns is not None)
    if turns is None:
        recorded = await (await parts.past.get()).search.transcript(call_id)
        turns = [{name: value for name, value in asdict(turn).items() if name != "call_id"} for turn in recorded]
    return {"call_id": call_id, "state": call.state, "turns": turns, "messages": texts}


async def found(parts: Parts, call_id: str) -> Call:
    """Return a call from Redis, or from history once Redis has forgotten it or cannot be asked. Raises NotFound."""
    missing: NotFound | Unavailable
    if not _ID.fullmatch(call_id):
        raise NotFound("No call has this id.")
    try:
        return await (await parts.live.get()).records.load(call_id)
    except (NotFound, Unavailable) as error:
        missing = error
    try:
        return await (await parts.past.get()).search.call(call_id)
    except NotFound:
        if isinstance(missing, Unavailable):
            raise missing from None  # it may be there, and Redis cannot be asked
        raise NotFound("No call has this id.") from None


async def _live_turns(parts: Parts, call_id: str) -> list[dict[str, Any]] | None:
    """The turns in Redis, or None where Redis has nothing of this call any more or cannot be asked."""
    turns: list[dict[str, Any]] = []
    after, known = "0", False
    try:
        store = (await parts.live.get()).store
        while events := await read_after(store, after, call_id=call_id):
            after, known = events[-1].id, True
            turns += [{"keys": ""} | event.data for event in events if event.type == "call.turn"]
    except Unavailable:
        return None
    return sorted(turns, key=lambda turn: int(turn.get("index", 0))) if known else None
