"""A Twilio account on this machine, and somebody who runs ./voicefleet connect and disconnect in a folder of their own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from modules.sip_management.twilio import Connected, Ledger, Step, Wish, connect, disconnect, opened
from tests.contracts.carriers.twilio_server import ACCOUNT, TOKEN, TwilioServer

NAME = "voicefleet-test"


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
    """Whoever sets the account up. `waited` are the pauses that were asked for; none is made."""

    server: TwilioServer
    folder: Path
    sid: str = ACCOUNT
    token: str = TOKEN
    waited: list[float] = field(default_factory=list)

    @property
    def ledger_file(self) -> Path:
        return self.folder / "twilio.json"

    def noted(self) -> dict[str, Any]:
        """What the ledger says."""
        return dict(json.loads(self.ledger_file.read_text())) if self.ledger_file.exists() else {}

    async def connects(self, *, dry_run: bool = False, name: str = NAME, **wish: Any) -> tuple[Connected, dict[str, str]]:
        """Run the steps; return what came of it, and what each step did."""
        steps: list[Step] = []
        async with self._account(name) as (client, ledger):
            made = await connect(client, ledger, Wish(**wish), steps.append, dry_run=dry_run)
        return made, {step.name: step.did.value for step in steps}

    async def disconnects(self, *, dry_run: bool = False) -> tuple[bool, dict[str, str]]:
        """Undo the steps; return whether all of it is gone, and what each step did."""
        steps: list[Step] = []
        async with self._account("") as (client, ledger):
            whole = await disconnect(client, ledger, steps.append, dry_run=dry_run)
        return whole, {step.name: step.did.value for step in steps}

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
