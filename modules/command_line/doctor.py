"""`doctor`: 22 checks of this fleet and its phone side, each with one line why and one line what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config import Settings, load
from modules.calls import Outcome
from modules.calls.advice import Advice, advice
from modules.command_line.errors import WrongUse
from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

if TYPE_CHECKING:  # what the doctor asks takes a second to load: Twilio's and LiveKit's clients
    from twilio.rest import Client

    from modules.call_queue_manager import Worker
    from modules.doctor import Examined, Subject

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


def doctor(callee: Callee = "", call: Failed = "", only: Only = None, as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """Look at everything that makes calls fail, and say what to do. It changes nothing.

    Exit 1 when something is bad. `?` means that it cannot be seen from here: not proven, rather than a guess.

    Example: ./voicefleet doctor --callee +4930123456
    """
    output = Output(as_json=as_json)
    if unknown := [name for name in only or [] if name not in _names()]:
        output.failure(WrongUse(f"there is no check '{unknown[0]}'", f"one of {', '.join(_names())}"))
        raise typer.Exit(2)
    run(_doctor(load(), callee, call, only, api_url, output), output)


async def _doctor(settings: Settings, callee: str, call: str, only: list[str] | None, api_url: str, output: Output) -> int:
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
        output.json({"advice": asdict(told) if told else None, "checks": [one.to_json() for one in found]})
    return 1 if any(one.finding.colour is Colour.RED for one in found) else 0


@asynccontextmanager
async def _subject(settings: Settings, callee: str) -> AsyncIterator["Subject"]:
    import httpx2
    from livekit import api

    from modules.call_queue_manager import Workers, connect
    from modules.doctor import Subject

    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()

    async def workers() -> list["Worker"]:
        store = await connect(settings.redis_url)
        try:
            return await Workers(store).alive()
        finally:
            await store.close()

    async with (
        httpx2.AsyncClient(timeout=_ASK_S, trust_env=False) as http,
        api.LiveKitAPI(settings.http_url, key, secret) as lkapi,
    ):
        yield Subject(
            settings=settings, folder=Path.cwd(), lkapi=lkapi, http=http, workers=workers,
            twilio=_twilio(settings), callee=callee,
        )  # fmt: skip


def _twilio(settings: Settings) -> "Client | None":
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    sid, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    return Client(sid, token, http_client=TwilioHttpClient(timeout=_ASK_S)) if sid and token else None


def _show(output: Output, one: "Examined") -> None:
    sign, style = _SIGNS[one.finding.colour.value]
    output.line(f"{sign} {one.check.number:2} {one.check.title}: {one.finding.why}", style)
    if one.finding.fix:
        output.line(f"        do: {one.finding.fix}")
