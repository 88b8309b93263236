"""Keeps looking at the phone side, puts right what this fleet made, and remembers what it saw. Serving that is not done here.

Stored trunks and rules, livekit-server's SIP API, the carriers' addresses, the workers and their slots, recent refusals.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from livekit import api

from config import Settings
from modules.call_queue_manager import Store, Workers, connect
from modules.calls.errors import Unavailable, VoicefleetError
from modules.metrics_logger import get_logger
from modules.sip_management.carrier_errors import WINDOW, CarrierErrors
from modules.sip_management.client import AWAY, why
from modules.sip_management.ensure import ensure
from modules.sip_management.findings import Ask, Finding, look
from modules.sip_management.monitor_metrics import MonitorMetrics
from modules.sip_management.reach import reach
from modules.sip_management.trunks import TrunksUnusable
from modules.sip_management.wanted import wanted

log = get_logger("trunk_monitor")
_ROUNDS_WITHOUT_A_LOOK = 3
_GRACE_S = 30.0
_MANY_REFUSALS = 3


class Monitor:
    """The last findings, and how old they are. `answered` returns the numbers that personalities answer now; where they cannot
    be told it raises VoicefleetError."""

    def __init__(
        self, settings: Settings, lkapi: api.LiveKitAPI, answered: Callable[[], Iterable[str]], *,
        every_s: float, repair: bool, ask: Ask = reach,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._lkapi = lkapi
        self._answered = answered
        self._every_s = every_s
        self._repair = repair
        self._ask = ask
        self._store: Store | None = None
        self._errors: CarrierErrors | None = None
        self._findings: list[Finding] = []
        self._looked_at_s = time.monotonic()
        self.metrics = MonitorMetrics()

    async def run(self, stop: asyncio.Event) -> None:
        """Look every `every_s` until told to stop."""
        while not stop.is_set():
            await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await stop.wait()

    async def close(self) -> None:
        """Close the connection to Redis, where there is one."""
        if self._store:
            await self._store.close()

    async def round(self) -> list[Finding]:
        """Look once, put right what is ours to put right, and return what was found then."""
        began_s, before = time.monotonic(), set(self._findings)
        found = [*await self._phone_side(), *await self._from_redis()]
        self._findings, self._looked_at_s = found, time.monotonic()
        self.metrics.looked(found, took_s=self._looked_at_s - began_s)
        for finding in found:
            if finding not in before:
                say = log.info if finding.ok else log.warning
                say("trunks.changed", what=finding.what, trunk=finding.trunk, ok=finding.ok, detail=finding.detail)
        return found

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Return whether the monitor itself lives, and what it saw last."""
        age_s = time.monotonic() - self._looked_at_s
        alive = age_s < _ROUNDS_WITHOUT_A_LOOK * self._every_s + _GRACE_S
        well = bool(self._findings) and all(finding.ok for finding in self._findings)
        return alive, {"age_s": round(age_s, 1), "well": well, "findings": [asdict(finding) for finding in self._findings]}

    async def _phone_side(self) -> list[Finding]:
        try:
            answered = list(self._answered())
        except VoicefleetError as error:  # whose numbers would otherwise be taken away
            return [Finding("configuration", False, error.message)]
        found = await look(self._settings, self._lkapi, answered, self._ask)
        if not self._repair or all(one.ok for one in found if one.what == "stored"):
            return found
        await self._put_right(answered)
        return await look(self._settings, self._lkapi, answered, self._ask)

    async def _put_right(self, answered: list[str]) -> None:
        try:
            wishes = wanted(self._settings, answered).wishes
            done = await ensure(self._lkapi, await self._redis(), wishes, self._settings.livekit_agent_name)
        except (TrunksUnusable, Unavailable) as error:
            log.warning("trunks.not_repaired", reason=error.message)
            return
        except AWAY as error:
            log.warning("trunks.not_repaired", reason=why(error))
            return
        for change in done:
            if change.refused:
                log.warning("trunks.refused", noun=change.noun, name=change.name, reason=change.refused)
            elif change.doing != "keep":
                self.metrics.repaired(change.noun, change.doing)
                fields = list(change.fields)
                log.warning("trunks.repaired", noun=change.noun, name=change.name, id=change.id, did=change.doing, fields=fields)

    async def _from_redis(self) -> list[Finding]:
        try:
            store = await self._redis()
            alive = await Workers(store).alive()
            self._errors = self._errors or CarrierErrors(store)
            refusals = await self._errors.lately()
        except Unavailable as error:
            self._errors = None
            self.metrics.fleet(None, None)
            return [Finding("redis", False, error.message)]
        slots, active = sum(worker.slots for worker in alive), sum(worker.active for worker in alive)
        self.metrics.fleet((len(alive), slots, active), refusals)
        said = f"{len(alive)} registered, {slots - active} of {slots} slots free" if alive else "none is registered"
        found = [Finding("workers", bool(alive), said)]
        by_trunk: dict[str, int] = {}
        for (trunk, _, _), count in refusals.items():
            by_trunk[trunk] = by_trunk.get(trunk, 0) + count
        minutes = int(WINDOW.total_seconds() / 60)
        for trunk, count in by_trunk.items():
            codes = sorted({f"{code or outcome}" for (name, outcome, code) in refusals if name == trunk})
            told = f"{count} calls failed at the carrier in {minutes} minutes: {', '.join(codes)}"
            found.append(Finding("carrier_errors", count < _MANY_REFUSALS, told, trunk))
        return found

    async def _redis(self) -> Store:
        if self._store is None:
            self._store = await connect(self._settings.redis_url)
        return self._store
