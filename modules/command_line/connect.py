"""`connect twilio` and `disconnect twilio`: a Twilio account set up for this fleet, .env filled in, and both undone again."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from config import Settings, load
from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.command_line import env_values
from modules.command_line.errors import CommandError, WrongUse
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.setup.exclusive import exclusive
from modules.setup.progress import Progress
from modules.sip_management import twilio
from modules.sip_management.twilio import Connected, Did, Ledger, Step, TwilioTrouble, Wish

connecting = typer.Typer(help="Make a carrier's account ready for this fleet.", no_args_is_help=True)
disconnecting = typer.Typer(help="Undo what `connect` made, and nothing else.", no_args_is_help=True)

ENV, ENV_LOCAL = Path(".env"), Path(".env.local")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,24}[a-z0-9])", re.ASCII)
_HOST = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?:;transport=(?P<transport>udp|tcp|tls))?", re.ASCII)
_STYLE = {Did.MADE: "green", Did.UNDONE: "green", Did.LOOK: "yellow", Did.LEFT: "yellow"}
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

    Needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. It buys nothing.

    Example: ./voicefleet connect twilio --dry-run
    """
    output, settings = Output(as_json=as_json), load()
    run(_connect(settings, output, number, sip_host, opened or [], name, dry_run), output)


@disconnecting.command("twilio")
def disconnect_twilio(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Delete what `connect twilio` made, detach the number, and empty the values it wrote into .env.

    Example: ./voicefleet disconnect twilio --dry-run
    """
    output, settings = Output(as_json=as_json), load()
    run(_disconnect(settings, output, dry_run), output)


async def _connect(
    settings: Settings, output: Output, number: str, sip_host: str, opened: list[str], name: str, dry_run: bool
) -> int:
    told, steps = _teller(output)
    async with _account(settings, name, dry_run) as (client, ledger):
        wish = Wish(
            number=_number(number or settings.sip_from_number, settings),
            sip_host=_sip_host(sip_host),
            countries=settings.allowed_countries,
            opened=frozenset(_country(country) for country in opened),
            has_password=bool(env_values.value_of("SIP_AUTH_PASSWORD", ENV)),
        )
        made = await twilio.connect(client, ledger, wish, told, dry_run=dry_run)
        _into_env(made, ledger, told, settings, dry_run)
    _close(output, steps, dry_run=dry_run, then="./voicefleet doctor looks at the whole way to the phone")
    return 0


async def _disconnect(settings: Settings, output: Output, dry_run: bool) -> int:
    told, steps = _teller(output)
    if not _ledger_file(settings).exists():
        told(Step("ledger", Did.KEPT, f"nothing to undo: {_ledger_file(settings)} is not there"))
        _close(output, steps, dry_run=dry_run)
        return 0
    async with _account(settings, "", dry_run) as (client, ledger):
        whole = await twilio.disconnect(client, ledger, told, dry_run=dry_run)
        _out_of_env(ledger, told, dry_run)
    _close(output, steps, dry_run=dry_run)
    return 0 if whole else 1


@asynccontextmanager
async def _account(settings: Settings, name: str, dry_run: bool) -> AsyncIterator[tuple[Any, Ledger]]:
    """Open the account and the ledger, alone on this machine. TwilioTrouble becomes a command's error."""
    if name and not _NAME.fullmatch(name):
        raise WrongUse(f"'{name}' cannot be a trunk's name", "3 to 26 small letters, digits and dashes")
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


def _into_env(made: Connected, ledger: Ledger, told: twilio.steps.Tell, settings: Settings, dry_run: bool) -> None:
    values = {"SIP_TRUNK_HOSTNAME": made.hostname, "SIP_AUTH_USERNAME": made.username, "SIP_FROM_NUMBER": made.from_number}
    values |= {"SIP_AUTH_PASSWORD": made.password} if made.password else {}
    if blocked := env_values.in_the_way(values, [ENV, ENV_LOCAL], ledger.is_ours):
        fix = "remove these values and run the same command again; or leave them, and this trunk is not used"
        told(Step(".env", Did.LOOK, f"not written, it holds values of yours: {', '.join(blocked)}", fix))
        return
    if settings.sip_outbound_trunk_id:
        told(Step(".env", Did.LOOK, "SIP_OUTBOUND_TRUNK_ID wins over the trunk's four values", "remove it to use this trunk"))
    changed = {name: value for name, value in values.items() if env_values.value_of(name, ENV) != value}
    if not changed:
        told(Step(".env", Did.KEPT, "the trunk's four values"))
        return
    if dry_run:
        told(Step(".env", Did.WOULD_MAKE, ", ".join(changed)))
        return
    for name, value in changed.items():
        ledger.wrote(name, value)
    env_values.write(ENV, changed)
    told(Step(".env", Did.MADE, ", ".join(changed), "start the fleet again, so that it reads them"))


def _out_of_env(ledger: Ledger, told: twilio.steps.Tell, dry_run: bool) -> None:
    ours = [name for name in ledger.env if ledger.is_ours(name, env_values.value_of(name, ENV))]
    if ours:
        told(Step(".env", Did.WOULD_UNDO if dry_run else Did.UNDONE, ", ".join(ours)))
    if not dry_run:
        env_values.take_back(ENV, ours)
        for name in list(ledger.env):
            ledger.unwrote(name)


def _teller(output: Output) -> tuple[twilio.steps.Tell, list[Step]]:
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        if not output.as_json:
            output.line(f"{step.did.value:>10}  {step.name}: {step.detail}", _STYLE.get(step.did, ""))
            if step.next:
                output.line(f"{'':>10}  {step.next}", "dim")

    return tell, steps


def _close(output: Output, steps: list[Step], *, dry_run: bool, then: str = "") -> None:
    if output.as_json:
        told = [{"step": one.name, "did": one.did.value, "detail": one.detail, "next": one.next or None} for one in steps]
        output.json({"dry_run": dry_run, "steps": told})
    elif dry_run:
        output.say("nothing was changed; leave --dry-run out to do it", "")
    elif then:
        output.say(f"next:  {then}", "")


def _ledger_file(settings: Settings) -> Path:
    return settings.data_dir / "twilio.json"


def _number(text: str, settings: Settings) -> str:
    try:
        return numbers.parse(text, settings.default_region) if text else ""
    except InvalidNumber as error:
        raise WrongUse(f"the number to call from cannot be used: {error.message}", "write it as +12025550100") from None


def _sip_host(text: str) -> str:
    """Return "host:port;transport=…" as an origination wants it."""
    found = _HOST.fullmatch(text)
    if text and not found:
        raise WrongUse(f"'{text}' is not a SIP host", "write it as sip.example.com or sip.example.com:5060;transport=tcp")
    parts: Mapping[str, str | None] = found.groupdict() if text and found else {}
    return f"{parts['host']}:{parts['port'] or 5060};transport={parts['transport'] or 'udp'}" if parts else ""


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise WrongUse(f"'{text}' is not a country", "write it as two letters, e.g. DE")
    return text.upper()
