"""`python -m modules.simulation`: the simulated carrier as a process, on the host and port of SIP_API_URL."""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from livekit import api

import config
from modules.conversation.priority import give_up_real_time
from modules.conversation.speech.local import FliteTTS, YamlError, collect_lines
from modules.conversation.speech.local.flite import VOICES
from modules.metrics_logger import configure, get_logger
from modules.simulation.call import Network
from modules.simulation.carrier import Carrier
from modules.simulation.g711 import MuLaw
from modules.simulation.inbound_call import WaysIn
from modules.simulation.ledger import Ledger
from modules.simulation.leg import LiveKit
from modules.simulation.listener import Listener
from modules.simulation.scenario import load_scenarios
from modules.simulation.sip_api import make_app

DEFAULT_URL = "http://127.0.0.1:7890"


def main() -> None:
    settings = config.load()
    args = _arguments(settings.sip_api_url or DEFAULT_URL)
    configure(settings.log_format, settings.log_level)
    give_up_real_time()
    logging.getLogger("livekit").addFilter(_is_news)
    try:
        asyncio.run(_serve(settings, args))
    except YamlError as error:
        raise SystemExit(f"A scenario cannot be used: {error}") from None


def _is_news(record: logging.LogRecord) -> bool:
    """False for what libwebrtc calls an error whenever a room is deleted: here that is how most calls end."""
    return "closed unexpectedly" not in record.getMessage()


def _arguments(url: str) -> argparse.Namespace:
    address = urlsplit(url)
    parser = argparse.ArgumentParser(prog="python -m modules.simulation", description="A carrier without phones.")
    parser.add_argument("--host", default=os.environ.get("SIMULATION_HOST"), help="address to listen on (SIMULATION_HOST)")
    parser.add_argument("--port", type=int, default=address.port or 7890, help="port to listen on (from SIP_API_URL)")
    parser.add_argument(
        "--ledger", type=Path, default=os.environ.get("SIMULATION_LEDGER"), help="file that keeps the ledger (SIMULATION_LEDGER)"
    )
    args = parser.parse_args()
    if args.host is None:
        args.host = address.hostname or "127.0.0.1"
        if not _is_loopback(args.host):
            parser.error(f"SIP_API_URL names {args.host}, which others can reach: say so with --host or SIMULATION_HOST")
    return args


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


async def _serve(settings: config.Settings, args: argparse.Namespace) -> None:
    log = get_logger(__name__)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    secret = settings.livekit_api_secret.get_secret_value()
    scenarios = load_scenarios(settings.scenarios_dir)
    with (
        ThreadPoolExecutor(2, "vad") as threads,
        contextlib.closing(Listener(collect_lines(settings.prompts_dir / "scripts", settings.agents_dir))) as listener,
    ):
        warming = asyncio.create_task(listener.warm_up(), name="listener-warms-up")  # 2-5 s; nobody has spoken by then
        network = Network(
            livekit=LiveKit(settings.livekit_url, settings.livekit_api_key, secret),
            listener=listener,
            voices={name: FliteTTS(name) for name in VOICES},
            mulaw=MuLaw(),
            threads=threads,
            ledger=Ledger(args.ledger),
        )
        lkapi = api.LiveKitAPI(settings.http_url, settings.livekit_api_key, secret)
        carrier = Carrier(network, scenarios, WaysIn(lkapi))
        runner = web.AppRunner(
            make_app(carrier, api.TokenVerifier(settings.livekit_api_key, secret)), access_log=None, shutdown_timeout=2
        )
        await runner.setup()
        await web.TCPSite(runner, args.host, args.port).start()
        log.info("simulated_carrier_ready", host=args.host, port=args.port, numbers=len(scenarios))
        await stop.wait()
        warming.cancel()
        await carrier.aclose()
        await runner.cleanup()
        await lkapi.aclose()


if __name__ == "__main__":
    main()
