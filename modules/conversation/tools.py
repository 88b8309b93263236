"""What an agent may do on its call besides talking, as its personality's `tools` list it: hang up, press keys."""

import asyncio
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import RunContext, function_tool, llm

from modules.conversation.duties import Tool

KEYS = "0123456789*#"
"""The keys of a telephone; a key's place is its code (RFC 4733, section 3.2)."""
MOST_KEYS = 32
# Menus take keys that come faster for one.
_BETWEEN_KEYS_S = 0.3

Note = Callable[[str, dict[str, Any]], None]


def tools_of(names: list[Tool], room: rtc.Room, over: Callable[[], None], note: Note) -> list[llm.Tool | llm.Toolset]:
    """Return the tools of these names. `over` is called when the agent has said goodbye; `note` writes into the call's record."""
    made: dict[Tool, Callable[[], llm.Tool]] = {"end_call": lambda: _end_call(over), "dtmf": lambda: _press_keys(room, note)}
    return [made[name]() for name in names]


def _end_call(over: Callable[[], None]) -> llm.Tool:
    @function_tool(name="end_call")
    async def end_call(context: RunContext[None]) -> str | None:
        """End the call. Use it when the purpose is reached or the other side wants to end, after saying goodbye."""
        context.speech_handle.add_done_callback(lambda _: over())
        said = [item for item in context.speech_handle.chat_items if item.type == "message" and item.text_content]
        return None if said else "Say goodbye in one short sentence."

    return end_call


def _press_keys(room: rtc.Room, note: Note) -> llm.Tool:
    @function_tool(name="press_keys")
    async def press_keys(keys: str) -> None:
        """Press keys of the telephone, for a menu that asks for them ("for opening hours press one"). Then listen again.

        Args:
            keys: One or more of 0 to 9, * and #, in the order in which they are pressed.
        """
        if not 0 < len(keys) <= MOST_KEYS or set(keys) - set(KEYS):
            raise llm.ToolError(f"Keys are 0 to 9, * and #, one to {MOST_KEYS} of them.")
        for key in keys:
            await room.local_participant.publish_dtmf(code=KEYS.index(key), digit=key)
            await asyncio.sleep(_BETWEEN_KEYS_S)
        note("call.keys_pressed", {"keys": keys})

    return press_keys
