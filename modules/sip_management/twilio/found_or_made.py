"""One thing at a time at Twilio: kept where it is there already, else made; the ledger knows before and after, and it is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.steps import Did, Step, Tell

LIST, USER, TRUNK, USERS_OF_TRUNK = "credential_list", "credential", "trunk", "trunk_credential_list"
ORIGINATION, NUMBER, BOUGHT, COUNTRY = "origination_url", "number", "bought_number", "country:"
"""The kinds of things; a country's is followed by its ISO code."""
# These are never anybody else's: they bear our name.
_OURS = (LIST, USER, TRUNK, ORIGINATION, BOUGHT)


@dataclass(frozen=True, slots=True)
class FoundOrMade:
    """Keeps or makes the things of one account."""

    ledger: Ledger
    tell: Tell
    dry_run: bool

    def ours(self, kind: str, there: dict[str, str]) -> str | None:
        """Return the SID of our thing among those that are there (by SID, with their names): by the ledger, or by our name."""
        known = self.ledger.sid(kind)
        if known in there:
            return known
        return next((sid for sid, name in sorted(there.items()) if name == self.ledger.marker), None)

    def keep(self, kind: str, name: str, detail: str, sid: str) -> str:
        """Keep a thing that was found; return its SID. What others attached is not noted."""
        noted = kind in _OURS or kind in self.ledger.things
        if noted and not self.dry_run and self.ledger.sid(kind) != sid:
            self.ledger.made(kind, name, sid)
        self.tell(Step(_step(kind), Did.KEPT, detail))
        return sid

    async def make(self, kind: str, name: str, detail: str, making: Callable[[], Awaitable[str]], **before: Any) -> str | None:
        """Make what is missing; return its SID, None in a dry run. `before` is what was so until then."""
        if self.dry_run:
            self.tell(Step(_step(kind), Did.WOULD_MAKE, detail))
            return None
        self.ledger.intend(kind, name, **before)
        sid = await making()
        self.ledger.made(kind, name, sid)
        self.tell(Step(_step(kind), Did.MADE, detail))
        return sid

    async def either(
        self, kind: str, name: str, detail: str, found: str | None, making: Callable[[], Awaitable[str]], **before: Any
    ) -> str | None:
        """Keep what was found, or make it."""
        return self.keep(kind, name, detail, found) if found else await self.make(kind, name, detail, making, **before)


def _step(kind: str) -> str:
    return kind.partition(":")[0].replace("_", " ")
