"""Following calls live: every event once and in order, across broken connections, for any number of listeners."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from config import Settings
from modules.api_server.fan_out import BUFFER, FanOut, Listener
from modules.api_server.parts import parts_of
from modules.call_queue_manager import CallQueue, Held, Records, Store, StreamEvent
from modules.calls import Event, Report
from tests.api.conftest import KEY, NUMBER

pytestmark = pytest.mark.redis
WAY = ["call.queued", "call.placing", "call.ringing", "call.in_progress", "call.turn", "call.turn", "call.ended"]


@dataclass(frozen=True)
class Seen:
    """One server-sent event."""

    id: str
    type: str
    data: dict[str, Any]


async def frames(http: httpx2.AsyncClient, path: str, last_id: str | None = None) -> AsyncGenerator[Seen]:
    """Yield a stream's events until the server ends it."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with http.stream("GET", path, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if not line and "data" in fields:
                yield Seen(fields["id"], fields["event"], json.loads(fields["data"]))
            if not line:
                fields = {}
            name, _, value = line.partition(": ")
            fields |= {name: value}


@pytest.fixture
async def http(api_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=api_url, headers={"X-API-Key": KEY}, trust_env=False) as client:
        yield client


async def placed(http: httpx2.AsyncClient) -> str:
    answer = await http.post("/v1/calls", json={"to_number": NUMBER})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["call_id"])


async def to_conversation(queue: CallQueue, records: Records) -> Held:
    """Do what orchestrator and worker do until somebody has picked up."""
    held = await queue.claim(limit=9, calls_per_second=9, lease_s=7)
    assert held
    for report in (Report(Event.CLAIMED, room="room-1"), Report(Event.DIALING), Report(Event.ANSWERED)):
        await records.report(held.call.call_id, report, token=held.token)
    return held


async def talk(records: Records, held: Held) -> None:
    for index, (speaker, text) in enumerate([("agent", "Hello, an AI here."), ("callee", "Hi! <b>Bye</b>.")]):
        turn = {"index": index, "speaker": speaker, "text": text, "start_s": index, "end_s": index + 0.5}
        await records.note(held, "call.turn", turn | {"interrupted": False, "latency_ms": 210 if speaker == "agent" else None})


async def hang_up(records: Records, held: Held) -> None:
    await records.report(held.call.call_id, Report(Event.HUNG_UP, reason="The callee hung up."), token=held.token)


async def test_a_call_is_followed_from_its_beginning_to_its_end(
    http: httpx2.AsyncClient, queue: CallQueue, records: Records
) -> None:
    """I watch a call that has already begun and see everything, and the stream ends with it."""
    call_id = await placed(http)
    held = await to_conversation(queue, records)
    seen: list[Seen] = []
    async with aclosing(frames(http, f"/v1/calls/{call_id}/events")) as events:
        async for event in events:
            seen.append(event)
            if event.type == "call.in_progress":
                await talk(records, held)
            if len([found for found in seen if found.type == "call.turn"]) == 2 and event.type == "call.turn":
                await hang_up(records, held)
    assert [event.type for event in seen] == WAY
    assert seen[-1].data["data"]["outcome"] == "completed"
    transcript = (await http.get(f"/v1/calls/{call_id}/transcript")).json()
    assert [turn["text"] for turn in transcript["turns"]] == ["Hello, an AI here.", "Hi! <b>Bye</b>."]


async def test_a_broken_stream_goes_on_where_it_stopped(http: httpx2.AsyncClient, queue: CallQueue, records: Records) -> None:
    """My connection breaks after every single event and I still see each of them once."""
    call_id = await placed(http)
    held = await to_conversation(queue, records)
    await talk(records, held)
    await hang_up(records, held)
    seen: list[Seen] = []
    while not seen or seen[-1].type != "call.ended":
        async with aclosing(frames(http, f"/v1/calls/{call_id}/events", seen[-1].id if seen else None)) as events:
            seen.append(await anext(events))
    assert [event.type for event in seen] == WAY
    assert len({event.id for event in seen}) == len(WAY)


async def test_everybody_who_follows_all_calls_sees_all_of_them(
    http: httpx2.AsyncClient, queue: CallQueue, records: Records
) -> None:
    """Ten dashboards are open while calls come in; each shows the same."""
    first = await placed(http)
    start = [event async for event in take(frames(http, f"/v1/calls/{first}/events"), 1)][0].id

    async def watch() -> list[str]:
        return [event.id async for event in take(frames(http, "/v1/events", start), 6)]

    watching = [asyncio.create_task(watch()) for _ in range(10)]
    others = [await placed(http) for _ in range(3)]
    await hang_up(records, await to_conversation(queue, records))
    seen = await asyncio.gather(*watching)
    assert len(others) == 3 and len(seen[0]) == 6
    assert all(ids == seen[0] for ids in seen)


async def take(events: AsyncGenerator[Seen], count: int) -> AsyncIterator[Seen]:
    async with aclosing(events) as source:
        async for event in source:
            yield event
            count -= 1
            if not count:
                return


async def test_a_listener_that_does_not_keep_up_is_let_go() -> None:
    """One browser tab sleeps; it is dropped, and nobody else waits for it."""
    listener = Listener(None)
    for _ in range(BUFFER + 1):
        listener.offer(StreamEvent("1-0", "outbound-x", "call.turn", datetime.now(UTC), {}))
    assert listener.over
    with pytest.raises(EOFError):
        await listener.next(1)


async def test_a_closed_fan_out_ends_every_stream(settings: Settings) -> None:
    """The server is told to stop and does not wait for open dashboards."""
    fan_out = FanOut(parts_of(settings).listening)
    with fan_out.listening(None) as listener:
        waiting = asyncio.create_task(listener.next(60))
        await asyncio.sleep(0)
        fan_out.close()
        with pytest.raises(EOFError):
            await waiting
    assert fan_out.listeners == 0


async def test_an_ended_call_can_be_read_when_redis_has_forgotten_it(
    http: httpx2.AsyncClient,
    store: Store,
    queue: CallQueue,
    records: Records,
    wait_until: Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]],
) -> None:
    """A day later I still find the call, its words, and my search finds what was said."""
    call_id = await placed(http)
    held = await to_conversation(queue, records)
    await talk(records, held)
    await hang_up(records, held)

    async def recorded() -> bool:
        listed = (await http.get("/v1/calls", params={"q": "an ai here"})).json()["calls"]
        return [call["state"] for call in listed] == ["ended"]

    await wait_until(recorded, 10)
    await store.client.flushall()
    assert (await http.get(f"/v1/calls/{call_id}")).json()["outcome"] == "completed"
    assert len((await http.get(f"/v1/calls/{call_id}/transcript")).json()["turns"]) == 2
    seen = [event async for event in frames(http, f"/v1/calls/{call_id}/events")]
    assert [event.type for event in seen] == ["call.ended"]
