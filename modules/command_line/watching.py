"""A call that was just placed, live on the screen until it ends."""

from typing import Any

from modules.command_line.api_client import ApiClient
from modules.command_line.live_view import show_end, show_event
from modules.command_line.output import Output
from modules.command_line.story import Story


async def show_live(api: ApiClient, placed: dict[str, Any], output: Output) -> int:
    """Show it; return 0 only if it ended `completed`."""
    story = Story(placed["call_id"])
    if not output.as_json:
        output.line(f"{placed['call_id']}{marked(placed)}")
    async for event in api.follow(placed["call_id"]):
        story.hear(event)
        if output.as_json:
            output.json_line(event.to_json())
        else:
            show_event(output, event)
    ended = await api.outcome(placed["call_id"])
    if not output.as_json:
        show_end(output, ended)
    return 0 if ended["outcome"] == "completed" else 1


def marked(shown: dict[str, Any]) -> str:
    """Return what is said beside a call that reached no phone."""
    return " (simulated)" if shown["simulated"] else ""
