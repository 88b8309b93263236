"""`doctor`: 22 checks of this fleet and its phone side, each with one line why and one line what to do."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from config import Settings, load
from modules.calls import Outcome
from modules.calls.advice import Advice, advice
from modules.calls.errors import Unavailable
from modules.command_line.doctor_loop import looped
from modules.command_line.doctor_parts import closing, show_finding, subject_of
from modules.command_line.errors import WrongUse
from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

if TYPE_CHECKING:  # what the doctor asks takes a second to load: LiveKit's client and all that is checked
    from modules.doctor import Examined
    from modules.sip_management.plan import Change


def _names() -> list[str]:
    from modules.doctor import CHECKS

    return [check.name for check in CHECKS]


Callee = Annotated[str, typer.Option("--callee", metavar="NUMBER", help="A number you want to call; some checks need one.")]
Failed = Annotated[str, typer.Option("--call", metavar="ID", help="Explain a call that failed, by the checks that can tell.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="CHECK", help="Only this check; may be repeated.", autocompletion=_names),
]


Fix = Annotated[bool, typer.Option("--fix", help="First make our trunks and rules equal the configuration, as `trunks ensure`.")]
Loop = Annotated[bool, typer.Option("--loop", help="Instead: two agents of this fleet call each other through its livekit-sip.")]
OverTrunk = Annotated[str, typer.Option("--trunk", metavar="NAME", help="With --loop: over this carrier, which may cost money.")]
OwnNumber = Annotated[
    str, typer.Option("--number", metavar="NUMBER", help="With --trunk: the one of your inbound_numbers to ring.")
]


def doctor(
    callee: Callee = "", call: Failed = "", only: Only = None, fix: Fix = False, loop: Loop = False, trunk: OverTrunk = "",
    number: OwnNumber = "", as_json: AsJson = False, api_url: ApiUrl = "",
) -> None:  # fmt: skip
    """Look at everything that makes calls fail, and say what to do. Without --fix it changes nothing.

    With --loop a running fleet calls itself: out over SIP, in over SIP, and each agent must hear the other. No phone rings.

    Exit 1 when something is bad. `?` means that it cannot be seen from here: not proven, rather than a guess.

    Example: ./voicefleet doctor --callee +4930123456
    """
    output = Output(as_json=as_json)
    try:
        _fit(loop=loop, others=bool(callee or call or only or fix), trunk=trunk, number=number)
    except WrongUse as error:
        output.failure(error)
        raise typer.Exit(2) from None
    if loop:
        run(looped(load(), trunk, number, api_url, output), output)
        return
    if unknown := [name for name in only or [] if name not in _names()]:
        output.failure(WrongUse(f"there is no check '{unknown[0]}'", f"one of {', '.join(_names())}"))
        raise typer.Exit(2)
    settings = load()

    async def work() -> int:
        mended = await _mend(settings, output) if fix else []
        return await _doctor(settings, callee, call, only, api_url, output, mended)

    run(work(), output)


def _fit(*, loop: bool, others: bool, trunk: str, number: str) -> None:
    """Raises WrongUse where the options do not go together."""
    if loop and others:
        raise WrongUse("--loop goes with --trunk, --number, --json and --api-url only", "leave the others out")
    if (trunk or number) and not (loop and trunk and number):
        raise WrongUse("--trunk and --number belong to --loop, and to each other", "add what is missing")


async def _mend(settings: Settings, output: Output) -> "list[Change]":
    """Do what `trunks ensure` does. What keeps it from being done is what the checks tell."""
    from modules.call_queue_manager import connect
    from modules.conversation.personalities import personalities_of
    from modules.sip_management.client import AWAY, sip_client
    from modules.sip_management.ensure import ensure
    from modules.sip_management.trunks import TrunksUnusable
    from modules.sip_management.wanted import wanted

    try:
        wishes = wanted(settings, personalities_of(settings).answering())
        async with sip_client(settings) as lkapi, closing(await connect(settings.redis_url)) as store:
            done = await ensure(lkapi, store, wishes.wishes, settings.livekit_agent_name)
    except (TrunksUnusable, Unavailable, *AWAY) as error:
        output.say(f"nothing was mended: {type(error).__name__}", "yellow")
        return []
    mended = [change for change in done if change.doing != "keep"]
    for change in mended:
        output.say(f"{change.doing} {change.noun} {change.name}{': ' + change.refused if change.refused else ''}")
    return mended


async def _doctor(
    settings: Settings, callee: str, call: str, only: list[str] | None, api_url: str, output: Output, mended: "list[Change]"
) -> int:
    told: Advice | None = None
    if call:
        async with client(api_url) as fleet:
            failed = await fleet.call(call)
        outcome = Outcome(failed["outcome"]) if failed["outcome"] else None
        told = advice(outcome, failed["sip_status_code"], failed["to_number"])
        callee, only = failed["to_number"], list(told.checks) if told else []
        if not output.as_json:
            output.line(f"{call}: {failed['outcome'] or failed['state']}. {failed['reason'] or ''}".rstrip())
            output.line(told.next_step if told else "Nothing about it is wrong on our side.", "bold")
    from modules.doctor import Colour, examine

    found: list[Examined] = []
    async with subject_of(settings, callee) as subject:
        output.progress("looking …")
        async for one in examine(subject, only):
            found.append(one)
            if not output.as_json:
                show_finding(output, f"{one.check.number:2} {one.check.title}", one.finding)
                output.progress("looking …")
    if output.as_json:
        changes = [{"doing": change.doing, "noun": change.noun, "name": change.name} for change in mended]
        output.json({"advice": asdict(told) if told else None, "mended": changes, "checks": [one.to_json() for one in found]})
    return 1 if any(one.finding.colour is Colour.RED for one in found) else 0
