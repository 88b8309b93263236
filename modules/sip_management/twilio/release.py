"""A number that was bought: given back to Twilio only if somebody says so. It may be printed somewhere, and rarely comes back."""

from collections.abc import Callable
from typing import Any

from modules.sip_management.twilio.errors import NOT_FOUND, TwilioTrouble
from modules.sip_management.twilio.found_or_made import BOUGHT, TRUNK
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.purchase import OWNED, asked_for, bought
from modules.sip_management.twilio.steps import Did, Step, Tell

Releases = Callable[[str], bool]
"""Whoever says whether a number (E.164) is given back."""


async def release_or_keep(client: Any, ledger: Ledger, tell: Tell, releases: Releases, *, dry_run: bool) -> None:
    """Release what was bought if `releases` says so; else it is the account's own from now on, and out of the ledger."""
    if BOUGHT not in ledger.things:
        return
    name, lost = ledger.things[BOUGHT]["name"], asked_for(ledger)
    number: Any = bought(ledger, await client.incoming_phone_numbers.list_async())
    if number is None:
        step = Step("bought number", Did.KEPT, f"{name} is not in the account any more")
        if lost:
            step = Step("bought number", Did.LOOK, f"whether {lost} was bought was never answered", f"look at {OWNED}")
    elif why := _somebodys(number, ledger):
        step = Step("bought number", Did.KEPT, f"{number.phone_number} {why}", f"release it at {OWNED} when nothing uses it")
    elif not releases(number.phone_number):
        detail = f"{number.phone_number} stays in the account, and on its bill every month"
        step = Step("bought number", Did.KEPT, detail, f"release it at {OWNED}" if not dry_run else "--release releases it")
    elif dry_run:
        step = Step("bought number", Did.WOULD_UNDO, f"{number.phone_number} is released")
    else:
        await _release(client, number.sid)
        step = Step("bought number", Did.UNDONE, f"{number.phone_number} is released and off the bill")
    if not dry_run:
        ledger.forget(BOUGHT)
    tell(step)


def _somebodys(number: Any, ledger: Ledger) -> str:
    if number.friendly_name != ledger.marker:
        return "has another name by now"
    if number.trunk_sid and number.trunk_sid != ledger.sid(TRUNK):
        return "is on another trunk by now"
    return ""


async def _release(client: Any, sid: str) -> None:
    try:
        await client.incoming_phone_numbers(sid).delete_async()
    except TwilioTrouble as error:
        if error.code != NOT_FOUND:
            raise
