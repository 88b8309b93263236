"""SIPp as the telephone network: one program a port, playing a scene of scenes/, which logs what it sees.

Nothing is trusted but what arrived here over SIP. https://sipp.readthedocs.io
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

SCENES = Path(__file__).parent / "scenes"
_BRANCH = """
  <nop next="{code}" test="hit"><action>
    <strcmp assign_to="differs" variable="number" value="{number}"/>
    <test assign_to="hit" variable="differs" compare="equal" value="0"/>
  </action></nop>"""
_REFUSAL = """
  <label id="{code}"/>
  <send retrans="500" next="told"><![CDATA[
SIP/2.0 {code} Refused
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
{challenge}Content-Length: 0

]]></send>"""
_CHALLENGES = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}


@dataclass(frozen=True, slots=True)
class Sipp:
    """A running SIPp."""

    process: asyncio.subprocess.Process
    log: Path

    def seen(self) -> list[str]:
        """Return what the scene has logged."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    async def sees(self, line: str, within_s: float = 30) -> None:
        """Wait until the scene has logged this line."""
        async with asyncio.timeout(within_s):
            while line not in self.seen():  # noqa: ASYNC110 - SIPp tells it in a file
                await asyncio.sleep(0.05)

    async def done(self, within_s: float = 30) -> int:
        """Wait until it has played its scene to the end; return the exit code, 0 where every call went as the scene says."""
        async with asyncio.timeout(within_s):
            return await self.process.wait()


@asynccontextmanager
async def sipp(
    scene: Path, folder: Path, port: int, *, calls: int = 1, address: str = "127.0.0.1", more: Iterable[str] = ()
) -> AsyncIterator[Sipp]:
    """Play `scene` for so many calls on this address and port; its files go to `folder`."""
    program = shutil.which("sipp")
    assert program, "the folder's conftest asks for it"
    log = folder / f"{scene.stem}-{port}.log"
    log.unlink(missing_ok=True)
    command = (
        program, *more, "-sf", str(scene), "-i", address, "-p", str(port), "-m", str(calls), "-nostdin", "-trace_logs",
        "-log_file", str(log), "-timeout", "600", "-timeout_error",
    )  # fmt: skip
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=nowhere, stderr=nowhere)
    try:
        yield Sipp(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def refusals(folder: Path, codes: Mapping[str, int]) -> Path:
    """Write the scene that refuses each number with its code: a code must stand literally in a scene."""
    text = (SCENES / "refuse.xml").read_text()
    branches = "".join(_BRANCH.format(number=number, code=code) for number, code in codes.items())
    told = "".join(_REFUSAL.format(code=code, challenge=_challenge(code)) for code in sorted(set(codes.values())))
    path = folder / "refuse.xml"
    path.write_text(text.replace("<!-- branches -->", branches).replace("<!-- refusals -->", told))
    return path


def _challenge(code: int) -> str:
    return f'{_CHALLENGES[code]}: Digest realm="carrier", nonce="once"\n' if code in _CHALLENGES else ""
