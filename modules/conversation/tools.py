"""What an agent may do on its call besides talking, as its personality's `tools` list it: hang up, press keys, hand over."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import RunContext, function_tool, llm

from modules.conversation.duties import Target, Tool
from modules.conversation.keys import KEYS, MOST_KEYS
from modules.conversation.personality import Personality

# Menus take keys that come faster for one.
_BETWEEN_KEYS_S = 0.3

Pressed = Callable[[str, str, tuple[float, float]], None]
"""Who pressed which keys, from when to when (Unix time)."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What an agent's tools work with: its room, the end of its call, the way to other phones, and the call's record.

    `hand_over` takes a target's name and number and returns "" or why it failed.
    """

    room: rtc.Room
    over: Callable[[], None]
    hand_over: Callable[[str, str], Awaitable[str]]
    pressed: Pressed


def tools_of(personality: Personality, hands: Hands) -> list[llm.Tool | llm.Toolset]:
    """Return the tools a personality lists."""
    made: dict[Tool, Callable[[], llm.Tool]] = {
        "end_call": lambda: _end_call(hands.over),
        "dtmf": lambda: _press_keys(hands.room, hands.pressed),
        "transfer": lambda: _transfer(personality.transfer, hands.hand_over),
    }
    return [made[name]() for name in personality.tools]


def _end_call(over: Callable[[], None]) -> llm.Tool:
    @function_tool(name="end_call")
    async def end_call(context: RunContext[None]) -> str | None:
        """End the call. Use it when the purpose is reached or the other side wants to end, after saying goodbye."""
        context.speech_handle.add_done_callback(lambda _: over())
        if isinstance(context.session.llm, llm.RealtimeModel):  # what it says beside the call of a tool is known when it was said
            await context.wait_for_playout()
        said = [item for item in context.speech_handle.chat_items if item.type == "message" and item.text_content]
        return None if said else "Say goodbye in one short sentence."

    return end_call


def _press_keys(room: rtc.Room, pressed: Pressed) -> llm.Tool:
    @function_tool(name="press_keys")
    async def press_keys(keys: str) -> None:
        """Press keys of the telephone, for a menu that asks for them ("for opening hours press one"). Then listen again.

        Args:
            keys: One or more of 0 to 9, * and #, in the order in which they are pressed.
        """
        if not 0 < len(keys) <= MOST_KEYS or set(keys) - set(KEYS):
            raise llm.ToolError(f"Keys are 0 to 9, * and #, one to {MOST_KEYS} of them.")
        began, sent = time.time(), ""
        try:
            for key in keys:
                await room.local_participant.publish_dtmf(code=KEYS.index(key), digit=key)
                sent += key
                await asyncio.sleep(_BETWEEN_KEYS_S)
        finally:
            if sent:
                pressed("agent", sent, (began, time.time()))

    return press_keys


def _transfer(targets: Mapping[str, Target], hand_over: Callable[[str, str], Awaitable[str]]) -> llm.Tool:
    who = "; ".join(f"{name}: {target.description}" if target.description else name for name, target in targets.items())
    schema = {
        "name": "transfer",
        "description": f"Hand the call over to somebody else. It is announced by itself, so say nothing in the same turn. {who}",
        "parameters": {
            "type": "object", "properties": {"to": {"type": "string", "enum": list(targets)}}, "required": ["to"],
        },
    }  # fmt: skip

    @function_tool(raw_schema=schema)
    async def transfer(raw_arguments: dict[str, object], context: RunContext[None]) -> str | None:
        target = targets.get(name := str(raw_arguments.get("to")))
        if target is None:
            raise llm.ToolError(f"There is nobody of that name; there are {', '.join(targets)}.")
        await context.session.say(target.announcement, allow_interruptions=False)
        failed = await hand_over(name, target.number)
        return f"This failed: {failed} The caller is still here; tell them so and go on." if failed else None

    return transfer
