"""`trunks`: what livekit-server stores of the phone side, made equal to the configuration. The API is not asked.

The nouns and the JSON files are those of LiveKit's `lk`. No password is ever printed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from livekit import api

from config import Settings, load
from modules.call_queue_manager import Store, connect
from modules.calls.errors import InvalidField, Unavailable
from modules.command_line.errors import Unreachable, WrongUse
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.command_line.trunk_tables import described, row, tell
from modules.conversation.answered import NumbersUnknown, answered
from modules.sip_management.client import AWAY, noun_of, sip_client, why
from modules.sip_management.ensure import delete, dry_run, ensure
from modules.sip_management.findings import look
from modules.sip_management.marks import mark_of
from modules.sip_management.plan import Wish, deletions
from modules.sip_management.redaction import shown
from modules.sip_management.requests import wish_of
from modules.sip_management.shelves import Noun, everything, id_of
from modules.sip_management.trunks import TrunksUnusable, configured
from modules.sip_management.wanted import wanted

app = typer.Typer(help="SIP trunks and dispatch rules: stored, compared, corrected.", no_args_is_help=True)


def _noun(word: str | None) -> str | None:
    if word and noun_of(word) is None:
        raise typer.BadParameter(f"one of {', '.join(Noun)}")
    return word


SomeNoun = Annotated[
    str | None,
    typer.Argument(metavar="NOUN", help=f"{', '.join(Noun)}; without it, all.", callback=_noun),
]
Request = Annotated[Path | None, typer.Option("--request", help="A JSON file as `lk sip … create` takes it.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
StoreOutbound = Annotated[bool, typer.Option("--store-outbound", help="Store the outbound trunks too, for other programs.")]


@app.callback()
def trunks() -> None:
    """SIP trunks and dispatch rules: stored, compared, corrected."""


@app.command("ensure")
def ensure_trunks(
    noun: SomeNoun = None, request: Request = None, store_outbound: StoreOutbound = False, dry: DryRun = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make what livekit-server stores equal the configuration, or one thing equal a file. Safe to repeat.

    What this fleet once made and nothing asks for any more is deleted. What others made is not touched.

    Example: ./voicefleet trunks ensure --dry-run
    """
    output = Output(as_json=as_json)

    async def work(settings: Settings, lkapi: api.LiveKitAPI) -> int:
        wishes, problems = _wishes(settings, noun, request, store_outbound=store_outbound)
        fleet, prune = settings.livekit_agent_name, not (noun or request)
        if dry:
            changes = await dry_run(lkapi, wishes, fleet, prune=prune)
        else:
            async with _store(settings) as store:
                changes = await ensure(lkapi, store, wishes, fleet, prune=prune)
        tell(output, changes, problems, done=not dry)
        return 1 if problems or any(change.refused for change in changes) else 0

    _run(work, output)


@app.command("diff")
def diff_trunks(noun: SomeNoun = None, request: Request = None, as_json: AsJson = False) -> None:
    """Say in what livekit-server differs from the configuration, or from a file. Exit code 1 where it does.

    Example: ./voicefleet trunks diff
    """
    output = Output(as_json=as_json)

    async def work(settings: Settings, lkapi: api.LiveKitAPI) -> int:
        wishes, problems = _wishes(settings, noun, request)
        changes = await dry_run(lkapi, wishes, settings.livekit_agent_name, prune=not (noun or request))
        changes = [change for change in changes if change.doing != "keep" or change.extra_ids]
        tell(output, changes, problems, done=False)
        if not changes and not as_json:
            output.line("livekit-server holds what the configuration says")
        return 1 if changes or problems else 0

    _run(work, output)


@app.command("list")
def list_trunks(noun: SomeNoun = None, as_json: AsJson = False) -> None:
    """List what livekit-server stores, ours and others'. --json prints it in the form of `lk`, passwords hidden.

    Example: ./voicefleet trunks list inbound-trunk --json
    """
    output = Output(as_json=as_json)

    async def work(_: Settings, lkapi: api.LiveKitAPI) -> None:
        found = {one: things for one, things in (await everything(lkapi)).items() if noun is None or one == noun_of(noun)}
        if as_json:
            output.json({one.replace("-", "_") + "s": [shown(thing) for thing in things] for one, things in found.items()})
            return
        rows = [
            (one, id_of(one, thing), thing.name, ", ".join(thing.numbers), mark.fleet if (mark := mark_of(thing)) else "others")
            for one, things in found.items()
            for thing in things
        ]
        output.table(("what", "id", "name", "numbers", "made by"), rows)

    _run(work, output)


@app.command("status")
def trunks_status(as_json: AsJson = False) -> None:
    """Look at the trunks: what is configured, what is stored, whether the carriers answer. Exit code 1 where something is wrong.

    Example: ./voicefleet trunks status
    """
    output = Output(as_json=as_json)

    async def work(settings: Settings, lkapi: api.LiveKitAPI) -> int:
        known = configured(settings)
        findings = await look(settings, lkapi, answered(settings))
        told = [described(trunk) for trunk in known.values()]
        if as_json:
            output.json({"trunks": told, "findings": [asdict(finding) for finding in findings]})
        else:
            output.table(("trunk", "hostname", "carrier", "transport", "calls from"), [row(one) for one in told])
            for one in told:
                for note in one["notes"]:
                    output.say(f"{one['name']}: {note}")
            output.table(
                ("", "what", "trunk", ""), [("ok" if one.ok else "WRONG", one.what, one.trunk, one.detail) for one in findings]
            )
        return 0 if all(finding.ok for finding in findings) else 1

    _run(work, output)


@app.command("delete")
def delete_trunks(
    noun: SomeNoun = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Its name or id.", show_default=False)] = None,
    everything_ours: Annotated[bool, typer.Option("--all", help="All that this fleet made.")] = False,
    dry: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Delete a trunk or rule that this fleet made, or all of them. What others made is not touched.

    Example: ./voicefleet trunks delete dispatch-rule voicefleet-inbound
    """
    output = Output(as_json=as_json)
    if everything_ours == bool(noun and name):
        raise typer.BadParameter("give NOUN and NAME, or --all")

    async def work(settings: Settings, lkapi: api.LiveKitAPI) -> int:
        which = (settings.livekit_agent_name, noun_of(noun or ""), name)
        if dry:
            found = deletions(await everything(lkapi), *which)
        else:
            async with _store(settings) as store:
                found = await delete(lkapi, store, *which)
        if name and not found:
            raise WrongUse(f"there is no {noun} '{name}' that this fleet made", "./voicefleet trunks list shows who made what")
        tell(output, found, (), done=not dry)
        return 1 if any(change.refused for change in found) else 0

    _run(work, output)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = await connect(settings.redis_url)
    try:
        yield store
    finally:
        await store.close()


def _wishes(
    settings: Settings, noun: str | None, request: Path | None, *, store_outbound: bool = False
) -> tuple[list[Wish], tuple[str, ...]]:
    if request:
        if noun is None or (which := noun_of(noun)) is None:
            raise WrongUse("--request needs to know what the file describes", f"say one of {', '.join(Noun)}")
        return [wish_of(request, which)], ()
    found = wanted(settings, answered(settings), store_outbound=store_outbound)
    if noun is None:
        return list(found.wishes), found.problems
    return [wish for wish in found.wishes if wish.noun is noun_of(noun)], found.problems


def _run(work: Callable[[Settings, api.LiveKitAPI], Awaitable[int | None]], output: Output) -> None:
    settings = load()

    async def asking() -> int | None:
        async with sip_client(settings) as lkapi:
            try:
                return await work(settings, lkapi)
            except (TrunksUnusable, NumbersUnknown) as error:
                raise WrongUse(error.message, "correct the file; nothing was changed") from None
            except InvalidField as error:
                raise WrongUse(error.message) from None
            except Unavailable as error:
                raise Unreachable(error.message, "check that Redis runs and REDIS_URL names it") from None
            except AWAY as error:
                raise Unreachable(
                    f"livekit-server's SIP API does not answer: {why(error)}",
                    "check that livekit-server runs with Redis, and LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
                ) from None

    run(asking(), output)
