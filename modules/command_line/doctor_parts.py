"""What every kind of `doctor` needs: the fleet as it is examined, and a finding as one line with its remedy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings
from modules.command_line.output import Output

if TYPE_CHECKING:  # what the doctor asks takes a second to load: LiveKit's client and all that is checked
    from modules.call_queue_manager import Store, Worker
    from modules.doctor import Finding, Subject

_SIGNS = {"green": ("  ok", "green"), "amber": ("warn", "yellow"), "red": (" bad", "bold red"), "not proven": ("   ?", "dim")}
_ASK_S = 5.0


@asynccontextmanager
async def closing(store: "Store") -> AsyncIterator["Store"]:
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def subject_of(settings: Settings, callee: str = "") -> AsyncIterator["Subject"]:
    import httpx2
    from livekit import api

    from modules.call_queue_manager import Workers, connect
    from modules.doctor import Subject
    from modules.sip_management.twilio import opened

    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()

    sid, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
    twilio = partial(opened, sid, token, settings.twilio_api_url)

    async def workers() -> list["Worker"]:
        async with closing(await connect(settings.redis_url)) as store:
            return await Workers(store).alive()

    async with (
        httpx2.AsyncClient(timeout=_ASK_S, trust_env=False) as http,
        api.LiveKitAPI(settings.http_url, key, secret) as lkapi,
    ):
        yield Subject(
            settings=settings, folder=Path.cwd(), lkapi=lkapi, http=http, workers=workers,
            twilio=twilio if sid else None, callee=callee,
        )  # fmt: skip


def show_finding(output: Output, what: str, found: "Finding") -> None:
    """Print a finding and, where something is to be done, what."""
    sign, style = _SIGNS[found.colour.value]
    output.line(f"{sign} {what}: {found.why}", style)
    if found.fix:
        output.line(f"        do: {found.fix}")
