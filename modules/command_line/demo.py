"""`demo`: a whole fleet of its own, one call to a simulated number, both sides live. It has no way to reach a phone.

The fleet is a throwaway one (modules/fleet/plan.py): own secrets, own ports, own folder, no `.env`.
"""

import asyncio
import time
from typing import Annotated, Any

import typer

from modules.command_line.api_client import ApiClient
from modules.command_line.calls import Personality
from modules.command_line.errors import CommandError
from modules.command_line.interrupt import interruptible
from modules.command_line.live_view import show_end, show_event
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.command_line.story import Story
from modules.fleet import WORKER, Fleet, Plan
from modules.fleet.process import tail
from modules.metrics_logger import configure

GYM = "+12025550100"
# Longer than any scenario's conversation; a call that hangs must not hang the demo.
_LONGEST_S = 300.0
_OUR_FAULT = frozenset({"agent_failed", "infrastructure", "indeterminate"})


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop everything after the call; exit 0 only if it was completed.")
    ] = False,
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Which simulated number to call.")] = GYM,
    personality: Personality = "local_demo",
    as_json: AsJson = False,
) -> None:
    """Start a fleet on this machine and listen to it call a simulated gym. Needs no account and reaches no phone.

    With --once --json exactly one JSON object is printed: call_id, outcome, states, transcript, latency, recording, extraction.

    Example: ./voicefleet demo --once
    """
    output = Output(as_json=as_json)
    configure("console", "WARNING")  # the fleet's own log lines go to standard error; a demo shows only trouble
    fleet = Fleet(Plan(usual_api_port=not once), tell=output.progress)

    async def work() -> int:
        return await interruptible(_demo(fleet, {"to_number": to, "personality": personality}, output, once=once), fleet)

    run(work(), output)


async def _demo(fleet: Fleet, wanted: dict[str, Any], output: Output, *, once: bool) -> int:
    output.say("starting redis, livekit-server, a simulated carrier, the API, the orchestrator and a worker …")
    started = time.monotonic()
    async with fleet:
        output.say(f"all of it is ready after {time.monotonic() - started:.0f} s")
        key = fleet.settings.api_key.get_secret_value()
        async with ApiClient(fleet.api_url, key) as api:
            story = await fleet.during(_one_call(api, wanted, output))
            ended = await api.outcome(story.call_id)
            if not output.as_json:
                show_end(output, ended)
                if story.turns:
                    output.line(f"latency   {_latency(story)}")
            transcript = await api.transcript(story.call_id)
        if output.as_json:
            output.json(story.to_json(transcript) | {"extraction": ended["extraction"]})
        if story.outcome in _OUR_FAULT:
            fleet.keep_folder()
            output.say(f"this is our fault; the end of the worker's log ({fleet.logs}):\n{tail(fleet.part(WORKER).log)}", "")
        if not once:
            _addresses(fleet, key, output)
            await fleet.during(asyncio.Event().wait())
    return 0 if story.outcome == "completed" else 1


async def _one_call(api: ApiClient, wanted: dict[str, Any], output: Output) -> Story:
    placed = await api.place(wanted | {"trunk": "simulated"})
    story = Story(placed["call_id"])
    output.say(f"{story.call_id} to {placed['to_number']} (simulated)")
    try:
        async with asyncio.timeout(_LONGEST_S):
            async for event in api.follow(story.call_id):
                story.hear(event)
                if not output.as_json:
                    show_event(output, event)
    except TimeoutError:
        raise CommandError(f"the call did not end within {_LONGEST_S:g} s") from None
    return story


def _latency(story: Story) -> str:
    turns = sorted(story.turns_ms)
    first = f"first word {story.first_word_ms:.0f} ms after the answer" if story.first_word_ms is not None else "no first word"
    return f"{first}; median answer {turns[len(turns) // 2]:.0f} ms of {len(turns)}" if turns else first


def _addresses(fleet: Fleet, key: str, output: Output) -> None:
    output.say("")
    output.say(f"the page     {fleet.api_url}/   (sign in with {key})", "")
    output.say(f"the API      {fleet.api_url}/docs", "")
    output.say(f"call again   API_KEY={key} ./voicefleet call {GYM} --watch --api-url {fleet.api_url}", "")
    output.say(f"logs         {fleet.logs}", "")
    output.say("Ctrl-C stops everything.", "")
