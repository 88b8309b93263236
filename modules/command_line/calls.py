"""`call`, `calls`, `show`, `cancel`: one call or many, through the API."""

from typing import Annotated, Any

import typer

from modules.calls import State
from modules.command_line.completion import personalities
from modules.command_line.errors import WrongUse
from modules.command_line.live_view import show_end, show_turn
from modules.command_line.options import ApiUrl, AsJson, CallId, client
from modules.command_line.output import Output, clock, run
from modules.command_line.watching import marked, show_live

Personality = Annotated[
    str, typer.Option("--personality", "-p", help="Who speaks: a file in agents/.", autocompletion=personalities)
]
Action = Annotated[str, typer.Option(metavar="TEXT", help='What the agent shall get done: "book a table for two".')]
Context = Annotated[str, typer.Option(metavar="TEXT", help="With --action: all that the agent may answer from.")]
CalleeName = Annotated[str, typer.Option(metavar="NAME", help="With --action: who is called.")]
AgentName = Annotated[str, typer.Option(metavar="NAME", help="With --action: what the agent calls itself.")]
Organization = Annotated[str, typer.Option(metavar="NAME", help="With --action, needed: for whom the agent calls.")]

Variables = Annotated[list[str] | None, typer.Option("--var", metavar="K=V", help="A variable of the prompt; repeatable.")]


def call(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Who is called: +<country><number>.", show_default=False)],
    personality: Personality = "",
    var: Variables = None,
    trunk: Annotated[str, typer.Option(help="Which trunk dials; `simulated` reaches no phone.")] = "",
    greeting: Annotated[str, typer.Option(help="The agent's first words.")] = "",
    llm_prompt: Annotated[str, typer.Option(help="Instructions for this one call.")] = "",
    action: Action = "",
    context: Context = "",
    callee_name: CalleeName = "",
    agent_name: AgentName = "",
    organization: Organization = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show the call live until it ends.")] = False,
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Call a number.

    With --action the agent calls on someone's behalf, as personality `concierge` unless another is named.
    With --watch the exit code is 0 only if the call ended `completed`; with --json as well, each event is one line of JSON.

    Example: ./voicefleet call +12025550100 --trunk simulated --watch
    """
    output = Output(as_json=as_json)

    async def work() -> int | None:
        wanted = {
            "personality": personality, "trunk": trunk, "greeting": greeting, "llm_prompt": llm_prompt, "action": action,
            "context": context, "callee_name": callee_name, "agent_name": agent_name, "organization": organization,
        }  # fmt: skip
        body: dict[str, Any] = {"to_number": number} | {name: value for name, value in wanted.items() if value}
        body |= {"variables": variables_of(var or [])} if var else {}
        async with client(api_url) as api:
            placed = await api.place(body)
            if watch:
                return await show_live(api, placed, output)
        if as_json:
            output.json(placed)
        else:
            output.line(f"{placed['call_id']} is queued{marked(placed)}")
            output.say(f"watch it: ./voicefleet show {placed['call_id']}")
        return None

    run(work(), output)


def calls(
    state: Annotated[State | None, typer.Option(help="Only calls in this state.")] = None,
    q: Annotated[str | None, typer.Option("--q", metavar="TEXT", help="Only calls in which this was said.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """List calls, newest first.

    Example: ./voicefleet calls --state in_progress
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            found = await api.calls(state=state.value if state else None, q=q, limit=limit)
        if as_json:
            output.json(found)
            return
        rows = [
            (shown["call_id"], clock(shown["created_at"]), _phone(shown) + marked(shown), shown["personality"],
             shown["status_text"], _seconds(shown["duration_s"]))
            for shown in found["calls"]
        ]  # fmt: skip
        if rows:
            output.table(("call", "queued", "phone", "personality", "status", "talked"), rows)
        else:
            output.say("no calls; place one: ./voicefleet call +12025550100 --trunk simulated")

    run(work(), output)


def show(call_id: CallId, as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """Show one call: its states, what was said and how fast, how it ended.

    Example: ./voicefleet show outbound-20260101-120000-abcdef
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            found, turns = await api.call(call_id), await api.transcript(call_id)
        if as_json:
            output.json(found | {"turns": turns})
        else:
            _print_call(output, found, turns)

    run(work(), output)


def cancel(
    call_id: CallId,
    reason: Annotated[str, typer.Option(help="Why; kept with the call.")] = "",
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Take a call back: a waiting one is never dialled, a ringing or answered one is hung up.

    Example: ./voicefleet cancel outbound-20260101-120000-abcdef
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            found = await api.cancel(call_id, reason)
        if as_json:
            output.json(found)
        else:
            output.line(f"{call_id} is cancelled")

    run(work(), output)


def _print_call(output: Output, found: dict[str, Any], turns: list[dict[str, Any]]) -> None:
    output.line(f"{found['call_id']}  {_phone(found)}{marked(found)}  {_speaker(found)}", "bold")
    stages = {"queued": "created_at", "placing": "placing_at", "ringing": "ringing_at", "answered": "answered_at"}
    for stage, stamp in stages.items():
        if found[stamp]:
            output.line(f"{clock(found[stamp])}  {stage}", "bold")
    for turn in turns:
        show_turn(output, turn)
    if found["state"] == State.ENDED:
        output.line(f"{clock(found['ended_at'])}  ended", "bold")
        show_end(output, found)
    else:
        output.line(f"now       {found['status_text']}")


def variables_of(pairs: list[str]) -> dict[str, str]:
    """Return what --var gave. Raises WrongUse."""
    parted = [pair.partition("=") for pair in pairs]
    if wrong := next((name for name, equals, _ in parted if not equals or not name), None):
        raise WrongUse(f"--var {wrong} is not NAME=VALUE", "write for example --var guest_name=Ada")
    return {name: value for name, _, value in parted}


def _phone(shown: dict[str, Any]) -> str:
    """The other side: whom we called, or who called us."""
    if shown["direction"] != "inbound":
        return str(shown["to_number"])
    return f"from {shown['from_number'] or 'a hidden number'}"


def _speaker(shown: dict[str, Any]) -> str:
    return f"{shown['personality']}, arm {shown['arm']}" if shown["arm"] else str(shown["personality"])


def _seconds(duration_s: float | None) -> str:
    return "" if duration_s is None else f"{duration_s:.0f} s"
