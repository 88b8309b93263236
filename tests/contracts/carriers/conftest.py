"""A Twilio account on this machine, and somebody who runs ./voicefleet connect and disconnect in a folder of their own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from modules.sip_management.twilio import Connected, Ledger, Offer, Step, Wish, connect, disconnect, opened
from tests.contracts.carriers.twilio_server import ACCOUNT, TOKEN, TwilioServer

NAME = "voicefleet-test"
FIRST, SECOND = "+12025550142", "+12025550143"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioServer]:
    """An account with one number."""
    server = TwilioServer()
    server.has_number("+12025550199")
    await server.open()
    yield server
    await server.close()


@dataclass(slots=True)
class Operator:
    """Whoever sets the account up. `waited` are the pauses that were asked for; none is made.

    `says` is the answer to an offer, None: nobody is there; `offered` is what was asked about.
    """

    server: TwilioServer
    folder: Path
    sid: str = ACCOUNT
    token: str = TOKEN
    waited: list[float] = field(default_factory=list)
    says: bool | None = None
    offered: list[Offer] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def ledger_file(self) -> Path:
        return self.folder / "twilio.json"

    def noted(self) -> dict[str, Any]:
        """What the ledger says."""
        return dict(json.loads(self.ledger_file.read_text())) if self.ledger_file.exists() else {}

    async def connects(self, *, dry_run: bool = False, name: str = NAME, **wish: Any) -> tuple[Connected, dict[str, str]]:
        """Run the steps; return what came of it, and what each step did."""
        self.steps = []
        async with self._account(name) as (client, ledger):
            agrees = None if self.says is None else self._answers
            made = await connect(client, ledger, Wish(**wish), self.steps.append, agrees, dry_run=dry_run)
        return made, {step.name: step.did.value for step in self.steps}

    def _answers(self, offer: Offer) -> bool:
        self.offered.append(offer)
        return bool(self.says)

    async def disconnects(self, *, dry_run: bool = False, release: bool = False) -> tuple[bool, dict[str, str]]:
        """Undo the steps; return whether all of it is gone, and what each step did."""
        self.steps = []
        async with self._account("") as (client, ledger):
            whole = await disconnect(client, ledger, self.steps.append, lambda _: release, dry_run=dry_run)
        return whole, {step.name: step.did.value for step in self.steps}

    @asynccontextmanager
    async def _account(self, name: str) -> AsyncIterator[tuple[Any, Ledger]]:
        async def pause(seconds: float) -> None:
            self.waited.append(seconds)

        ledger = Ledger.read(self.ledger_file, self.sid, name)
        async with opened(self.sid, self.token, self.server.url, pause) as client:
            yield client, ledger


@pytest.fixture
def operator(twilio: TwilioServer, tmp_path: Path) -> Operator:
    return Operator(twilio, tmp_path)


@pytest.fixture
def shop(operator: Operator, twilio: TwilioServer) -> TwilioServer:
    """An account without a number, two American ones for sale, and somebody who says yes."""
    twilio.numbers.clear()
    twilio.shop.sells(FIRST, SECOND)
    operator.says = True
    return twilio
