"""A script as a livekit-agents LLM: streams words, reports usage, calls tools. No vendor, no network."""

import asyncio
import json
import re
import uuid
from typing import Any, Never

from livekit.agents import llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr

from modules.conversation.speech.local.dialogue import Move, Said, next_move, next_move_after_failed_transfer
from modules.conversation.speech.local.evidence import found_in
from modules.conversation.speech.local.script import Script

END_CALL, PRESS_KEYS, REPORT = "end_call", "press_keys", "report_answers"
TRANSFER = "transfer"


class ScriptedLLM(llm.LLM[Never]):
    """Holds no state between calls: where the script stands is read from the chat context each time."""

    def __init__(self, script: Script, variables: dict[str, str] | None = None) -> None:
        super().__init__()
        self._script = script.filled(variables or {})

    @property
    def model(self) -> str:
        return f"script-{self._script.name}"

    @property
    def provider(self) -> str:
        return "local"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _Scripted(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    def next_move(self, chat_ctx: llm.ChatContext) -> Move:
        """After a tool's result nothing more is said: the words came with the tool call."""
        spoken = [item for item in chat_ctx.items if item.type in ("message", "function_call_output")]
        if spoken and spoken[-1].type == "function_call_output":
            if spoken[-1].name == TRANSFER and spoken[-1].output:
                return next_move_after_failed_transfer(self._script, history_of(chat_ctx))
            return Move("")
        return next_move(self._script, history_of(chat_ctx))

    def answers(self, transcript: str) -> dict[str, dict[str, Any]]:
        """Return what the script's patterns find in the callee's lines of a transcript ("[3] callee: …")."""
        return found_in(self._script, transcript)


def history_of(chat_ctx: llm.ChatContext) -> list[Said]:
    """Both sides' words in a chat context; a key we pressed is a turn of ours, instructions and other items are left out."""
    said: list[Said] = []
    for item in chat_ctx.items:
        if item.type == "message" and item.role in ("assistant", "user") and item.text_content:
            said.append(Said("us" if item.role == "assistant" else "them", item.text_content))
        elif item.type == "function_call" and item.name == PRESS_KEYS:
            said.append(Said("us", "keys pressed"))
    return said


class _Scripted(llm.LLMStream):
    _llm: ScriptedLLM

    async def _run(self) -> None:
        if REPORT in llm.ToolContext(self._tools).function_tools:
            self._report()
            return
        move, request_id = self._llm.next_move(self._chat_ctx), uuid.uuid4().hex
        words = re.findall(r"\S+\s*", move.say)
        for word in words:
            self._event_ch.send_nowait(llm.ChatChunk(id=request_id, delta=llm.ChoiceDelta(role="assistant", content=word)))
            await asyncio.sleep(0)
        for name, arguments in _calls(move):
            if name in llm.ToolContext(self._tools).function_tools:
                call = llm.FunctionToolCall(name=name, arguments=json.dumps(arguments), call_id=f"call_{uuid.uuid4().hex[:12]}")
                delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
                self._event_ch.send_nowait(llm.ChatChunk(id=request_id, delta=delta))
        heard = sum(len(said.text.split()) for said in history_of(self._chat_ctx))
        usage = llm.CompletionUsage(completion_tokens=len(words), prompt_tokens=heard, total_tokens=heard + len(words))
        self._event_ch.send_nowait(llm.ChatChunk(id=request_id, usage=usage))

    def _report(self) -> None:
        transcript = next((said.text for said in reversed(history_of(self._chat_ctx)) if said.speaker == "them"), "")
        call = llm.FunctionToolCall(
            name=REPORT, arguments=json.dumps(self._llm.answers(transcript)), call_id=f"call_{uuid.uuid4().hex[:12]}"
        )
        delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id=uuid.uuid4().hex, delta=delta))


def _calls(move: Move) -> list[tuple[str, dict[str, str]]]:
    """The tools of a move, with their arguments."""
    pressed = [(PRESS_KEYS, {"keys": move.press})] if move.press else []
    handed = [(TRANSFER, {"to": move.transfer})] if move.transfer else []
    return pressed + handed + ([(END_CALL, dict[str, str]())] if move.hang_up else [])
