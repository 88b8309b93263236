"""`doctor`: 22 checks of this fleet and its phone side, each with one line why and one line what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config import Settings, load
from modules.calls import Outcome
from modules.calls.advice import Advice, advice
from modules.calls.errors import Unavailable
from modules.command_line.errors import WrongUse
from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

if TYPE_CHECKING:  # what the doctor asks takes a second to load: LiveKit's client and all that is checked
    from modules.call_queue_manager import Store, Worker
    from modules.doctor import Examined, Subject
    from modules.sip_management.plan import Change

_SIGNS = {"green": ("  ok", "green"), "amber": ("warn", "yellow"), "red": (" bad", "bold red"), "not proven": ("   ?", "dim")}
_ASK_S = 5.0


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


def doctor(
    callee: Callee = "", call: Failed = "", only: Only = None, fix: Fix = False, as_json: AsJson = False, api_url: ApiUrl = ""
) -> None:
    """Look at everything that makes calls fail, and say what to do. Without --fix it changes nothing.

    Exit 1 when something is bad. `?` means that it cannot be seen from here: not proven, rather than a guess.

    Example: ./voicefleet doctor --callee +4930123456
    """
    output = Output(as_json=as_json)
    if unknown := [name for name in only or [] if name not in _names()]:
        output.failure(WrongUse(f"there is no check '{unknown[0]}'", f"one of {', '.join(_names())}"))
        raise typer.Exit(2)
    settings = load()

    async def work() -> int:
        mended = await _mend(settings, output) if fix else []
        return await _doctor(settings, callee, call, only, api_url, output, mended)

    run(work(), output)


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
        async with sip_client(settings) as lkapi, _closing(await connect(settings.redis_url)) as store:
            done = await ensure(lkapi, store, wishes.wishes, settings.livekit_agent_name)
    except (TrunksUnusable, Unavailable, *AWAY) as error:
        output.say(f"nothing was mended: {type(error).__name__}", "yellow")
        return []
    mended = [change for change in done if change.doing != "keep"]
    for change in mended:
        output.say(f"{change.doing} {change.noun} {change.name}{': ' + change.refused if change.refused else ''}")
    return mended


@asynccontextmanager
async def _closing(store: "Store") -> AsyncIterator["Store"]:
    try:
        yield store
    finally:
        await store.close()


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
    async with _subject(settings, callee) as subject:
        output.progress("looking …")
        async for one in examine(subject, only):
            found.append(one)
            if not output.as_json:
                _show(output, one)
                output.progress("looking …")
    if output.as_json:
        changes = [{"doing": change.doing, "noun": change.noun, "name": change.name} for change in mended]
        output.json({"advice": asdict(told) if told else None, "mended": changes, "checks": [one.to_json() for one in found]})
    return 1 if any(one.finding.colour is Colour.RED for one in found) else 0


@asynccontextmanager
async def _subject(settings: Settings, callee: str) -> AsyncIterator["Subject"]:
    import httpx2
    from livekit import api

    from modules.call_queue_manager import Workers, connect
    from modules.doctor import Subject
    from modules.sip_management.twilio import opened

    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()

    sid, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    twilio = partial(opened, sid, token, settings.twilio_api_url)

    async def workers() -> list["Worker"]:
        async with _closing(await connect(settings.redis_url)) as store:
            return await Workers(store).alive()

    async with (
        httpx2.AsyncClient(timeout=_ASK_S, trust_env=False) as http,
        api.LiveKitAPI(settings.http_url, key, secret) as lkapi,
    ):
        yield Subject(
            settings=settings, folder=Path.cwd(), lkapi=lkapi, http=http, workers=workers,
            twilio=twilio if sid else None, callee=callee,
        )  # fmt: skip


def _show(output: Output, one: "Examined") -> None:
    sign, style = _SIGNS[one.finding.colour.value]
    output.line(f"{sign} {one.check.number:2} {one.check.title}: {one.finding.why}", style)
    if one.finding.fix:
        output.line(f"        do: {one.finding.fix}")
