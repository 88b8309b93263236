"""Keeps looking at the phone side: stored trunk, livekit-server's SIP API, the carrier's address. It repairs nothing.

Changes are logged once; GET /healthz shows the last findings, and answers 503 once no look has ended for three rounds.
"""

import argparse
import asyncio
import contextlib
import signal
import time
from dataclasses import asdict

from aiohttp import web
from livekit import api

from config import Settings, load
from modules.metrics_logger import configure, get_logger
from modules.sip_management.findings import Finding, look

log = get_logger("trunk_monitor")
_ROUNDS_WITHOUT_A_LOOK = 3


class Monitor:
    """The last findings, and how old they are."""

    def __init__(self, settings: Settings, lkapi: api.LiveKitAPI, every_s: float) -> None:
        self._settings = settings
        self._lkapi = lkapi
        self._every_s = every_s
        self._findings: list[Finding] = []
        self._looked_at_s = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await stop.wait()

    async def healthz(self, _: web.Request) -> web.Response:
        age_s = time.monotonic() - self._looked_at_s
        alive = age_s < _ROUNDS_WITHOUT_A_LOOK * self._every_s + 30
        body = {"age_s": round(age_s, 1), "findings": [asdict(finding) for finding in self._findings]}
        return web.json_response(body, status=200 if alive else 503)

    async def _look(self) -> None:
        before = set(self._findings)
        self._findings = await look(self._settings, self._lkapi)
        self._looked_at_s = time.monotonic()
        for finding in self._findings:
            if finding not in before:
                say = log.info if finding.ok else log.warning
                say("trunks.changed", what=finding.what, ok=finding.ok, detail=finding.detail)


async def main(every_s: float, host: str, port: int) -> None:
    settings = load()
    configure(settings.log_format, settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    async with api.LiveKitAPI(settings.http_url, key, secret) as lkapi:
        monitor = Monitor(settings, lkapi, every_s)
        app = web.Application()
        app.router.add_get("/healthz", monitor.healthz)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            log.info("monitor.started", every_s=every_s, port=runner.addresses[0][1])
            await monitor.run(stop)
        finally:
            await runner.cleanup()
    log.info("monitor.stopped")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every-s", type=float, default=60, help="seconds between two looks")
    parser.add_argument("--host", default="127.0.0.1", help="address /healthz listens on")
    parser.add_argument("--port", type=int, default=8070, help="port of /healthz; 0 = any free one")
    given = parser.parse_args()
    asyncio.run(main(given.every_s, given.host, given.port))
