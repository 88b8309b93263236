"""How one call ends. Many parties may say so (goodbye, hang-up, cancel, time, silence, a crash); the first one counts."""

import asyncio
from dataclasses import dataclass

from modules.calls import Report


@dataclass(frozen=True, slots=True)
class Closing:
    """A decided end. `report` is None where somebody else has written it or holds the call: then we only hang up."""

    report: Report | None
    why: str


class Ending:
    """The one decision of a call's agent that it is over."""

    def __init__(self) -> None:
        self._decided: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()

    @property
    def decided(self) -> bool:
        """Whether the call is over."""
        return self._decided.done()

    def decide(self, report: Report | None, why: str) -> None:
        """End the call, unless it has ended already."""
        if not self._decided.done():
            self._decided.set_result(Closing(report, why))

    async def wait(self) -> Closing:
        """Wait for the end."""
        return await asyncio.shield(self._decided)
