"""A realtime model on loopback that speaks OpenAI's websocket format and answers each request as a test says.

It takes the call's sound and understands nothing of it; what it answers, the test knows.
"""

import asyncio
import base64
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from modules.conversation.speech.local.dialogue import Move
from tests.contracts.providers.vendor_server import VendorServer

Event = dict[str, Any]
Brain = Callable[["Line"], Awaitable[Move | None]]
"""What is answered now; None: it was dealt with already, or never will be."""


@dataclass(slots=True)
class Line:
    """One connection: what the client said on it and what there is to tell it."""

    socket: web.WebSocketResponse
    said: list[Event] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    asked: int = 0
    _ids: Any = field(default_factory=itertools.count)
    _last: str | None = None
    _response: Event | None = None

    def told(self, kind: str) -> list[Event]:
        """Return what the client has sent of one kind."""
        return [event for event in self.said if event["type"] == kind]

    @property
    def session(self) -> Event:
        """Return the session as the client's updates have made it."""
        found: Event = {}
        for event in self.told("session.update"):
            found |= event["session"]
        return found

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, "event_id": self.new("event")} | fields))

    def new(self, what: str) -> str:
        return f"{what}_{next(self._ids)}"

    async def add(self, item: Event) -> None:
        """Take an item into the conversation."""
        await self.send("conversation.item.added", previous_item_id=self._last, item=item)
        self._last = item["id"]

    async def begin(self) -> str:
        """Begin the answer that was asked for last; return its id."""
        metadata = self.told("response.create")[-1].get("response", {}).get("metadata")
        self._response = {"id": self.new("resp"), "object": "realtime.response", "metadata": metadata, "output": []}
        await self.send("response.created", response=self._response | {"status": "in_progress"})
        return str(self._response["id"])

    async def words(self, text: str, *, whole: bool = True) -> None:
        """Stream a message, word by word; where it is not `whole`, it breaks off in the middle."""
        assert self._response is not None
        item = {"id": self.new("item"), "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        place = {"response_id": self._response["id"], "item_id": item["id"], "output_index": 0, "content_index": 0}
        await self.send("response.output_item.added", response_id=place["response_id"], output_index=0, item=item)
        await self.add(item)
        await self.send("response.content_part.added", **place, part={"type": "text", "text": ""})
        for word in re.findall(r"\S+\s*", text):
            await self.send("response.output_text.delta", **place, delta=word)
        if whole:
            await self.send("response.output_text.done", **place, text=text)
            done = item | {"status": "completed", "content": [{"type": "output_text", "text": text}]}
            await self.send("response.output_item.done", response_id=place["response_id"], output_index=0, item=done)
            self._response["output"].append(done)

    async def call(self, tool: str, **arguments: str) -> None:
        """Call a tool."""
        assert self._response is not None
        item = {"id": self.new("item"), "type": "function_call", "name": tool, "call_id": self.new("call"), "arguments": ""}
        place = {"response_id": self._response["id"], "output_index": 1}
        await self.send("response.output_item.added", **place, item=item)
        await self.add(item)
        told = json.dumps(arguments)
        await self.send("response.function_call_arguments.delta", **place, item_id=item["id"], delta=told)
        done = item | {"status": "completed", "arguments": told}
        await self.send("response.output_item.done", **place, item=done)
        self._response["output"].append(done)

    async def end(self, status: str = "completed", error: Event | None = None) -> None:
        """End the answer."""
        assert self._response is not None
        details = {"type": status, "error": error} if error else None
        done = self._response | {"status": status, "status_details": details}
        self._response = None
        await self.send("response.done", response=done)

    async def say(self, move: Move) -> None:
        """Give a whole answer."""
        await self.begin()
        if move.say:
            await self.words(move.say)
        if move.hang_up:
            await self.call("end_call")
        if move.transfer:
            await self.call("transfer", to=move.transfer)
        await self.end()

    async def cancel(self) -> None:
        if self._response:
            await self.end("cancelled")
        else:
            error = {
                "type": "invalid_request_error",
                "code": "response_cancel_not_active",
                "message": "Cancellation failed: none",
            }
            await self.send("error", error=error)


@dataclass(slots=True)
class RealtimeService:
    """`lines` are its connections, the newest last."""

    brain: Brain
    lines: list[Line] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        self.lines.append(line)
        answers: set[asyncio.Task[None]] = set()
        await line.send("session.created", session={"type": "realtime"})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            line.said.append(event)
            if event["type"] == "response.create":
                answers.add(asyncio.create_task(self._answer(line)))
            else:
                await _serve(line, event)
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        return socket

    async def _answer(self, line: Line) -> None:
        line.asked += 1
        if move := await self.brain(line):
            await line.say(move)


async def _serve(line: Line, event: Event) -> None:
    match event["type"]:
        case "session.update":
            await line.send("session.updated", session=event["session"])
        case "conversation.item.create":
            await line.add(event["item"])
        case "conversation.item.delete":
            await line.send("conversation.item.deleted", item_id=event["item_id"])
        case "input_audio_buffer.append":
            line.sound += base64.b64decode(event["audio"])
        case "input_audio_buffer.commit":
            item = {"id": line.new("item"), "type": "message", "role": "user", "content": [{"type": "input_audio"}]}
            await line.send("input_audio_buffer.committed", item_id=item["id"], previous_item_id=None)
            await line.add(item)
        case "response.cancel":
            await line.cancel()


def answering(server: VendorServer, *moves: Move) -> RealtimeService:
    """Let a server answer these, one after the other."""
    left = list(moves)

    async def next_move(line: Line) -> Move:
        return left.pop(0)

    found = RealtimeService(next_move)
    server.answer = found.answer
    return found
