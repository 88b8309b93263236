"""A Twilio account on this machine, and somebody who runs ./voicefleet connect and disconnect in a folder of their own."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner, Result

from config import Settings
from modules.command_line import app
from modules.fleet.plan import names_of
from modules.sip_management.twilio import Connected, Ledger, Offer, Step, Wish, connect, disconnect, opened
from tests.contracts.carriers.twilio_server import ACCOUNT, TOKEN, TwilioServer

NAME = "voicefleet-test"
FIRST, SECOND = "+12025550142", "+12025550143"
ENV = f"""# mine
LIVEKIT_API_KEY=APIabc
LIVEKIT_API_SECRET=only-for-tests-0123456789-0123456789-abcdef
TWILIO_ACCOUNT_SID={ACCOUNT}
TWILIO_AUTH_TOKEN={TOKEN}
ALLOWED_COUNTRIES=US
# the line
SIP_TRUNK_HOSTNAME=
"""


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


@dataclass(slots=True)
class Typist:
    """Somebody at a terminal in the fleet's folder."""

    server: TwilioServer

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    def told(self, *words: str) -> dict[str, Any]:
        answer = self.types(*words, "--json")
        return dict(json.loads(answer.stdout)) | {"exit_code": answer.exit_code}

    @property
    def env(self) -> dict[str, str | None]:
        return dotenv_values(".env")


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    """An account on this machine, served from a thread of its own: a command brings its own event loop."""
    for setting in Settings.model_fields:
        for name in names_of(setting):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    server, loop = TwilioServer(), asyncio.new_event_loop()
    server.has_number("+12025550199")
    thread = threading.Thread(target=loop.run_forever, name="twilio")
    thread.start()
    asyncio.run_coroutine_threadsafe(server.open(), loop).result(10)
    Path(".env").write_text(f"{ENV}TWILIO_API_URL={server.url}\nDATA_DIR={tmp_path / 'data'}\n")
    Path(".env").chmod(0o600)
    yield Typist(server)
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
