"""Server-sent events: one call's, from its beginning or after Last-Event-ID, until it ends; or all calls', from now on."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from modules.api_server.event_stream import QUIET_S, EventStream, frame, opening, quiet
from modules.api_server.fan_out import FanOut, since
from modules.api_server.guard import Reads
from modules.api_server.parts import Parts, Using
from modules.api_server.routes.calls import found
from modules.call_queue_manager import Store, StreamEvent, latest_id, read_after
from modules.calls import Call, State
from modules.calls.errors import InvalidField, Unavailable

router = APIRouter(tags=["events"])
_STREAM_ID = re.compile(r"\d{1,16}(-\d{1,16})?", re.ASCII)
ENDED = "call.ended"
_WHOLE_CALL = 10_000

_ANSWER = {200: {"content": {"text/event-stream": {}}, "description": "Events as they happen."}}
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", description="Go on after this event.")]


@router.get("/v1/calls/{call_id}/events", response_class=EventStream, responses=_ANSWER)  # type: ignore[arg-type]
async def call_events(call_id: str, request: Request, _: Reads, parts: Using, last_event_id: LastEventId = None) -> Response:
    """Follow one call. The answer ends after call.ended; 204 says that there is nothing after Last-Event-ID any more."""
    after = _checked(last_event_id) or "0"
    store = (await parts.live.get()).store
    call = await found(parts, call_id)
    if call.state is not State.ENDED:
        return EventStream(_one_call(request.app.state.fan_out, store, call_id, after))
    left = await read_after(store, after, call_id=call_id, count=_WHOLE_CALL)
    if not left and last_event_id is None:
        left = [await _end_of(parts, call)]
    return EventStream(_told(left)) if left else Response(status_code=204)


@router.get("/v1/events", response_class=EventStream, responses=_ANSWER)  # type: ignore[arg-type]
async def all_events(request: Request, _: Reads, parts: Using, last_event_id: LastEventId = None) -> Response:
    """Follow every call, from now on or after Last-Event-ID."""
    after = _checked(last_event_id)
    store = (await parts.live.get()).store
    return EventStream(_all_calls(request.app.state.fan_out, store, after or await latest_id(store)))


async def _end_of(parts: Parts, call: Call) -> StreamEvent:
    """The last event of a call that Redis has forgotten."""
    timeline = await (await parts.past.get()).search.timeline(call.call_id)
    last_id = timeline[-1].id if timeline else "0-0"
    return StreamEvent(last_id, call.call_id, ENDED, call.ended_at or call.created_at, call.to_json())


async def _told(events: list[StreamEvent]) -> AsyncIterator[bytes]:
    yield opening()
    for event in events:
        yield frame(event)


async def _one_call(fan_out: FanOut, store: Store, call_id: str, after: str) -> AsyncIterator[bytes]:
    yield opening()
    with fan_out.listening(call_id) as listener:
        try:
            async for event in since(store, after, listener, QUIET_S):
                yield frame(event) if event else quiet()
                if event and event.type == ENDED:
                    return
        except Unavailable:
            return  # the client comes back with its last id


async def _all_calls(fan_out: FanOut, store: Store, after: str) -> AsyncIterator[bytes]:
    yield opening()
    with fan_out.listening(None) as listener:
        try:
            async for event in since(store, after, listener, QUIET_S):
                yield frame(event) if event else quiet()
        except Unavailable:
            return


def _checked(last_event_id: str | None) -> str | None:
    if last_event_id and not _STREAM_ID.fullmatch(last_event_id):
        raise InvalidField("This is not an event's id.", field="Last-Event-ID")
    return last_event_id or None
