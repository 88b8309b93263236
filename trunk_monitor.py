"""Keeps looking at the phone side and puts right what this fleet made: stored trunks and rules, and nothing of others.

Changes are logged once. GET /healthz shows the last findings, and answers 503 once no look has ended for three rounds;
GET /metrics shows them to Prometheus. A broken trunks.yaml is reported, and nothing is repaired until it is whole again.
"""

import argparse
import asyncio
import signal
from functools import partial

from aiohttp import web

from config import load
from modules.conversation.answered import answered
from modules.conversation.personalities import personalities_of
from modules.metrics_logger import configure, get_logger
from modules.sip_management.client import sip_client
from modules.sip_management.monitor import Monitor

log = get_logger("trunk_monitor")


def _site(monitor: Monitor) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        alive, told = monitor.health()
        return web.json_response(told, status=200 if alive else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=monitor.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    return app


async def main(every_s: float, host: str, port: int, *, repair: bool) -> None:
    settings = load()
    configure(settings.log_format, settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with sip_client(settings) as lkapi:
        personalities = personalities_of(settings)
        numbers = partial(answered, settings, personalities)
        monitor = Monitor(settings, lkapi, numbers, every_s=every_s, repair=repair)
        runner = web.AppRunner(_site(monitor), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            log.info("monitor.started", every_s=every_s, port=runner.addresses[0][1], repair=repair)
            await monitor.run(stop)
        finally:
            await monitor.close()
            await runner.cleanup()
    log.info("monitor.stopped")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every-s", type=float, default=60, help="seconds between two looks")
    parser.add_argument("--host", default="127.0.0.1", help="address /healthz and /metrics listen on")
    parser.add_argument("--port", type=int, default=8070, help="their port; 0 = any free one")
    parser.add_argument("--no-repair", action="store_true", help="report only")
    given = parser.parse_args()
    asyncio.run(main(given.every_s, given.host, given.port, repair=not given.no_repair))
