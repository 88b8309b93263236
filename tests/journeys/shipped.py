"""The personalities that come with the project, as they are, on a fleet whose vendors' addresses are on loopback.

Each speaks through an Azure of its own: what it listens to is what its callee has said, by the carrier's ledger.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from modules.conversation.speech.local import FliteTTS, Script, load_script
from modules.conversation.speech.local.dialogue import Move, Said, next_move
from modules.conversation.speech.local.evidence import found_in
from modules.setup.places import PROJECT
from tests.azure_speech import SPEAKING, Ssml, read_ssml, recognition, synthesis
from tests.callers import Caller
from tests.contracts.providers.vendor_server import VendorServer, vendor_server

SCRIPTS = PROJECT / "prompts" / "scripts"


@dataclass(slots=True)
class Azure:
    """One personality's Azure, and the number on the other end of its call."""

    number: str
    server: VendorServer
    caller: Caller | None = None
    spoken: list[Ssml] = field(default_factory=list)
    delivered: asyncio.Event = field(default_factory=asyncio.Event)
    _understood: int = 0
    _voice: FliteTTS = field(default_factory=FliteTTS)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Synthesise, or listen."""
        if request.path != SPEAKING:
            return await recognition(request, self._heard)
        self.spoken.append(read_ssml(await request.read()))
        sound = await synthesis(request, self._voice)
        self.delivered.set()
        return sound

    async def _heard(self) -> str:
        """What the callee has said since the last time, once the carrier has written it down."""
        assert self.caller
        async with asyncio.timeout(5):
            while True:
                lines = [said["text"] for said in await self._said() if said["speaker"] == "callee"]
                if new := lines[self._understood :]:
                    self._understood = len(lines)
                    return " ".join(new)
                await asyncio.sleep(0.05)

    async def _said(self) -> list[dict[str, str]]:
        assert self.caller
        found = [dial for dial in await self.caller.dials() if self.number in (dial["to_number"], dial["from_number"])]
        return list(found[-1]["transcript"]) if found else []


@asynccontextmanager
async def azures(numbers: dict[str, str]) -> AsyncIterator[dict[str, Azure]]:
    """Run an Azure for each personality."""
    async with AsyncExitStack() as running:
        found = {name: Azure(number, await running.enter_async_context(vendor_server())) for name, number in numbers.items()}
        for azure in found.values():
            azure.server.answer = azure.answer
        yield found


def agents_with(addresses: dict[str, str], more: dict[str, str], folder: Path) -> Path:
    """Copy the project's personalities; those named keep all they say but the address of their Azure, and what `more` adds."""
    agents = folder / "agents"
    shutil.copytree(PROJECT / "agents", agents)
    for name, url in addresses.items():
        (agents / f"{name}.yaml").rename(agents / f"_{name}.yaml")
        where = f"{{base_url: {url}}}"
        text = f"name: {name}\nextends: _{name}\ncomponents: {{stt: {where}, tts: {where}}}\n{more.get(name, '')}"
        (agents / f"{name}.yaml").write_text(text)
    return agents


def think(instructions: str, talk: list[Said]) -> Move:
    """Answer as the model should, which knows from its instructions alone who it is and what it may say."""
    for name, mark in MARKS.items():
        if mark in instructions:
            return _german(talk) if name == "german_assistant" else next_move(_script(name, instructions), talk)
    raise AssertionError("a model was asked without any of our prompts")


def report(transcript: str, names: set[str]) -> dict[str, Any]:
    """Find a call's answers in its transcript: by the patterns of the script that looks for these."""
    found = next(script for script in map(_script, MARKS) if set(script.answers) <= names and script.answers)
    return dict(found_in(found, transcript))


MARKS = {
    "gym_researcher": "You call a gym for",
    "hospital_liaison": "You call a hospital's front desk",
    "appointment_reminder": "to remind Robin Miller of an appointment",
    "receptionist": "You answer the telephone of",
    "concierge": "## What you shall get done",
    "german_assistant": "Du telefonierst auf Deutsch",
    "english_assistant": "You call on behalf of",
}
"""What only one personality's prompt says."""


def _script(name: str, instructions: str = "") -> Script:
    """Return what a personality's scripted model says. The concierge's answers are what its instructions let it know, or none."""
    file = name if (SCRIPTS / f"{name}.yaml").exists() else "short_notice"
    context = instructions.partition("## All that you know\n\n")[2].partition("\n\n## ")[0]
    return load_script(SCRIPTS / f"{file}.yaml").filled({"context": context})


def _german(talk: list[Said]) -> Move:
    if sum(said.speaker == "us" for said in talk) < 2:
        return Move("Guten Tag. Wie lange haben Sie heute geöffnet?")
    return Move("Vielen Dank für die Auskunft. Auf Wiederhören.", hang_up=True)
