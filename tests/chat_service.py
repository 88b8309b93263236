"""A language model on loopback that speaks OpenAI's and Azure OpenAI's streaming wire format and thinks as a test says."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from modules.conversation.speech.local.dialogue import Move, Said

Brain = Callable[[str, list[Said]], Move]
"""What is answered to these instructions and this talk."""
Report = Callable[[str, set[str]], dict[str, Any]]
"""What is found in this transcript for these names, after the call."""
Delta = dict[str, Any]
REPORT = "report_answers"


@dataclass(slots=True)
class Thought:
    """One answer: what was asked for, what was said, and when its last word was sent."""

    instructions: str
    tools: set[str]
    said: str = ""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None


@dataclass(slots=True)
class ChatService:
    """`pause` is awaited between the beginning of the second sentence of an answer and the rest of it."""

    brain: Brain
    report: Report
    pause: Callable[[Thought], Any] | None = None
    thoughts: list[Thought] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Stream one answer, word by word. Clients knock with a GET to have the connection ready."""
        if request.method != "POST":
            return web.Response(status=404)
        asked = json.loads(await request.read())
        instructions, talk = _read(asked["messages"])
        tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in asked.get("tools", [])}
        thought = Thought(instructions, set(tools))
        self.thoughts.append(thought)
        if REPORT in tools:
            found = self.report(talk[-1].text, set(tools[REPORT]["properties"]))
            return await self._stream(request, thought, _called(REPORT, found))
        over = asked["messages"][-1]["role"] == "tool"
        return await self._stream(request, thought, self._words(Move("") if over else self.brain(instructions, talk), thought))

    async def _stream(self, request: web.Request, thought: Thought, deltas: AsyncIterator[Delta]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with contextlib.suppress(ConnectionResetError):  # a thought that is not needed any more
            await response.prepare(request)
            ends = "stop"
            async for delta in deltas:
                ends = "tool_calls" if "tool_calls" in delta else ends
                await response.write(_event({"delta": delta, "finish_reason": None}))
            await response.write(_event({"delta": {}, "finish_reason": ends}))
            await response.write(b"data: [DONE]\n\n")
            thought.ended_at = datetime.now(UTC)
        return response

    async def _words(self, move: Move, thought: Thought) -> AsyncIterator[Delta]:
        thought.said = move.say
        sentence = re.match(r".*?[.!?]\s+(\S+\s+){2}", move.say)
        for word in re.finditer(r"\S+\s*", move.say):
            yield {"role": "assistant", "content": word.group()}
            await asyncio.sleep(0)
            if self.pause and sentence and word.end() == sentence.end():
                await self.pause(thought)
        if move.hang_up:
            async for delta in _called("end_call", {}):
                yield delta


async def _called(tool: str, arguments: dict[str, Any]) -> AsyncIterator[Delta]:
    call = {"name": tool, "arguments": json.dumps(arguments)}
    yield {"role": "assistant", "tool_calls": [{"index": 0, "id": f"call_{tool}", "type": "function", "function": call}]}


def _event(choice: dict[str, Any]) -> bytes:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0} | choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _read(messages: list[dict[str, Any]]) -> tuple[str, list[Said]]:
    instructions = "\n".join(_text(one) for one in messages if one["role"] in ("system", "developer"))
    sides = {"assistant": "us", "user": "them"}
    talk = [Said(sides[one["role"]], _text(one)) for one in messages if one["role"] in sides and _text(one)]  # type: ignore[arg-type]
    return instructions, talk


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
