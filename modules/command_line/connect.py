"""`connect twilio` and `disconnect twilio`: a Twilio account set up for this fleet, .env filled in, and both undone again."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from config import Settings, load
from modules.command_line import ask, connect_words, env_values
from modules.command_line.call_me import offer_a_call
from modules.command_line.errors import CommandError, WrongUse
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.command_line.step_lines import close, teller
from modules.command_line.trunk_values import ENV, into_env, out_of_env
from modules.setup.exclusive import exclusive
from modules.setup.progress import Progress
from modules.sip_management import twilio
from modules.sip_management.twilio import Did, Ledger, Offer, Step, TwilioTrouble, Wish

connecting = typer.Typer(help="Make a carrier's account ready for this fleet.", no_args_is_help=True)
disconnecting = typer.Typer(help="Undo what `connect` made, and nothing else.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Look and print the plan; change nothing.")]


@connecting.callback()
def connect() -> None:
    """Make a carrier's account ready for this fleet."""


@disconnecting.callback()
def disconnect() -> None:
    """Undo what `connect` made, and nothing else."""


@connecting.command("twilio")
def connect_twilio(
    number: Annotated[str, typer.Option(metavar="NUMBER", help="The number to call from, if the account has several.")] = "",
    buy: Annotated[
        str, typer.Option(metavar="COUNTRY/NUMBER", help="Buy a local number: one of a country (DE; asks), or this very one.")
    ] = "",
    sip_host: Annotated[
        str, typer.Option(metavar="HOST", help="Your livekit-sip's host[:port][;transport=tcp]: lets people call in.")
    ] = "",
    opened: Annotated[
        list[str] | None, typer.Option("--open", metavar="COUNTRY", help="Allow calls to a country (DE) at Twilio; repeatable.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="The trunk's name, NAME.pstn.twilio.com; made up without it.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make an elastic SIP trunk in your Twilio account and put its four values into .env. Safe to repeat.

    Needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. An account without a number is shown one with its price; it is bought only
    after a yes on a terminal, or if --buy names it. On a terminal it offers a first call at the end, to a number you type.

    Example: ./voicefleet connect twilio --dry-run
    """
    output, settings = Output(as_json=as_json), load()
    if number and buy:
        output.failure(WrongUse("--number takes a number that the account has, --buy one that it has not", "leave one out"))
        raise typer.Exit(2)
    run(_connect(settings, output, number, buy, sip_host, opened or [], name, dry_run), output)


@disconnecting.command("twilio")
def disconnect_twilio(
    release: Annotated[bool, typer.Option("--release", help="Give a number that was bought back to Twilio, unasked.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Delete what `connect twilio` made, detach the number, and empty the values it wrote into .env.

    A number that was bought stays in the account, unless you say yes on a terminal, or --release.

    Example: ./voicefleet disconnect twilio --dry-run
    """
    output, settings = Output(as_json=as_json), load()
    run(_disconnect(settings, output, release, dry_run), output)


async def _connect(
    settings: Settings, output: Output, number: str, buy: str, sip_host: str, opened: list[str], name: str, dry_run: bool
) -> int:
    told, steps = teller(output)
    there = ask.somebody_is_there() and not output.as_json and not dry_run
    async with _account(settings, name) as (client, ledger):
        known = connect_words.number(number or settings.sip_from_number, settings.default_region)
        wish = Wish(
            number="" if buy else known,
            buys=connect_words.to_buy(buy, settings.default_region),
            home=settings.default_region,
            sip_host=connect_words.sip_host(sip_host),
            countries=settings.allowed_countries,
            opened=frozenset(connect_words.country(country) for country in opened),
            has_password=bool(env_values.value_of("SIP_AUTH_PASSWORD", ENV)),
        )
        if buy and known not in ("", wish.buys) and not ledger.is_ours("SIP_FROM_NUMBER", settings.sip_from_number):
            raise WrongUse("SIP_FROM_NUMBER is set: a number that is bought would not be used", "remove it, or leave --buy out")
        made = await twilio.connect(client, ledger, wish, told, _asking(output) if there else None, dry_run=dry_run)
        used = into_env(made, ledger, told, settings, dry_run=dry_run)
    close(output, steps, dry_run=dry_run, then="./voicefleet doctor looks at the whole way to the phone")
    if there and used:
        await offer_a_call(output, settings.default_region)
    return 0


async def _disconnect(settings: Settings, output: Output, release: bool, dry_run: bool) -> int:
    told, steps = teller(output)
    if not _ledger_file(settings).exists():
        told(Step("ledger", Did.KEPT, f"nothing to undo: {_ledger_file(settings)} is not there"))
        close(output, steps, dry_run=dry_run)
        return 0
    there = ask.somebody_is_there() and not output.as_json and not dry_run

    def releases(number: str) -> bool:
        return release or (there and ask.agreed(f"Give {number} back to Twilio, for good?"))

    async with _account(settings, "") as (client, ledger):
        whole = await twilio.disconnect(client, ledger, told, releases, dry_run=dry_run)
        out_of_env(ledger, told, dry_run=dry_run)
    close(output, steps, dry_run=dry_run)
    return 0 if whole else 1


@asynccontextmanager
async def _account(settings: Settings, name: str) -> AsyncIterator[tuple[Any, Ledger]]:
    """Open the account and the ledger, alone on this machine. TwilioTrouble becomes a command's error."""
    name = connect_words.trunk_name(name)
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    with exclusive(settings.data_dir / "twilio.lock", Progress()):
        try:
            ledger = Ledger.read(_ledger_file(settings), sid, name)
            ledger.name = ledger.name or f"voicefleet-{secrets.token_hex(4)}"
            async with twilio.opened(sid, token, settings.twilio_api_url, asyncio.sleep) as client:
                yield client, ledger
        except TwilioTrouble as trouble:
            code = f"twilio_{trouble.code}" if trouble.code else "twilio"
            raise CommandError(f"{trouble.sentence} The fault is {trouble.fault}.", trouble.fix, code=code) from None


def _asking(output: Output) -> Callable[[Offer], bool]:
    def agrees(offer: Offer) -> bool:
        if offer.others:
            output.say(f"also for sale, with --buy NUMBER: {', '.join(offer.others)}")
        return ask.agreed(f"Buy {offer}? It is billed until it is released.")

    return agrees


def _ledger_file(settings: Settings) -> Path:
    return settings.data_dir / "twilio.json"
