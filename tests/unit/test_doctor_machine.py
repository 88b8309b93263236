"""The machine, broken in every way that keeps calls from being made: the doctor names each in one line."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from config import Settings
from modules.call_queue_manager import Worker
from modules.calls.errors import Unavailable
from modules.doctor import Colour, Finding, Subject
from modules.doctor.carrier import from_rule
from modules.doctor.fleet import workers
from modules.doctor.livekit import advertised_address, browser_address, sound_arrives
from modules.doctor.machine import clock, containers, ports, sound_ports

pytestmark = pytest.mark.unit

TWILIO = {"sip_trunk_hostname": "mine.pstn.twilio.com", "sip_from_number": "+12025550177"}
Check = Callable[[Subject], Coroutine[Any, Any, Finding]]


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Subject]:
    """Somebody's fleet in a folder of its own; `files` are written there, everything else is a setting."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    def made(files: dict[str, str] | None = None, alive: list[Worker] | None = None, **settings: Any) -> Subject:
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text)

        async def beating() -> list[Worker]:
            if alive is None:
                raise Unavailable("Redis is away.")
            return alive

        wanted: dict[str, Any] = {"livekit_api_key": "key-of-this-test", "livekit_api_secret": "x" * 40}
        wanted |= {"sip_trunks_file": tmp_path / "trunks.yaml"} | settings
        http = httpx2.AsyncClient(trust_env=False, timeout=2)
        return Subject(settings=Settings(**wanted), folder=tmp_path, lkapi=cast(Any, None), http=http, workers=beating)

    return made


def a_program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def looked(check: Check, subject: Subject) -> Finding:
    found = await check(subject)
    await subject.http.aclose()
    assert bool(found.fix) or found.colour is Colour.GREEN or found.colour is Colour.NOT_PROVEN
    return found


@pytest.mark.parametrize(("script", "colour", "why"), [
    ("exit 0", Colour.RED, "version 2 is missing"),
    ('[ "$1" = compose ] && echo v2.29.1 && exit 0; exit 1', Colour.RED, "engine does not answer"),
    ("echo 2.29.1", Colour.GREEN, "Docker runs, compose 2.29.1"),
])  # fmt: skip
async def test_docker(
    subject: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, colour: Colour, why: str
) -> None:
    """No compose, no engine, or all is well."""
    a_program(tmp_path, "docker", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = await looked(containers, subject(**TWILIO))
    assert (found.colour, why in found.why) == (colour, True), found


async def test_no_docker_matters_as_far_as_there_is_a_trunk(
    subject: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the simulated network alone it is only worth knowing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await looked(containers, subject())).colour is Colour.AMBER
    assert (await looked(containers, subject(**TWILIO))).colour is Colour.RED


async def test_a_port_that_somebody_else_holds_is_named_with_its_holder(subject: Any) -> None:
    """ "Address already in use", in words."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        found = await looked(ports, subject(api_port=port, livekit_url="ws://elsewhere:7880", redis_url="redis://elsewhere/0"))
    assert found.colour is Colour.RED
    assert f"Port {port} of the API is held by " in found.why and "process" in found.why


async def test_a_thousand_published_ports_are_too_many(subject: Any) -> None:
    """Each has a process of Docker's."""
    compose = "services: {sip-server: {ports: ['0.0.0.0:5060:5060/udp', '0.0.0.0:%s:%s/udp']}}"
    found = await looked(sound_ports, subject({"docker-compose.yaml": compose % ("10000-20000", "10000-20000")}))
    assert (found.colour, "10002 ports" in found.why) == (Colour.RED, True)


async def test_a_clock_that_is_off_refuses_every_token(subject: Any) -> None:
    """JWT "not valid yet" is a clock."""
    late = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {late}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await looked(clock, subject(livekit_url=f"ws://127.0.0.1:{port}"))
    assert (found.colour, "differ by" in found.why) == (Colour.RED, True)
    assert (await looked(clock, subject(livekit_url="ws://127.0.0.1:9"))).colour is Colour.NOT_PROVEN


SIP = "services: {sip-server: {environment: {SIP_CONFIG_BODY: '%s'}}, livekit: {environment: {LIVEKIT_CONFIG: '%s'}}}"


OPEN = {"sip_publish_on": "0.0.0.0"}


@pytest.mark.parametrize(("sip", "config", "colour", "why"), [
    ({}, "", Colour.RED, "this machine only"),
    (OPEN, "", Colour.RED, "private address"),
    (OPEN | {"sip_use_external_ip": True}, "nat_1_to_1_ip: 192.0.2.1", Colour.RED, "exclude each other"),
    (OPEN | {"sip_use_external_ip": True}, "", Colour.NOT_PROVEN, "shows a call only"),
])  # fmt: skip
async def test_the_address_the_carrier_is_told(subject: Any, sip: dict[str, Any], config: str, colour: Colour, why: str) -> None:
    """One-way audio is an address."""
    files = {"docker-compose.yaml": SIP % (config, "udp_port: 7882")}
    found = await looked(advertised_address, subject(files, **TWILIO, **sip))
    assert (found.colour, why in found.why) == (colour, True), found


async def test_a_range_of_udp_ports_in_a_container_is_told(subject: Any) -> None:
    """Docker Desktop forwards one port, not ten thousand."""
    found = await looked(browser_address, subject({"docker-compose.yaml": SIP % ("", "port_range_start: 50000")}))
    assert found.colour is Colour.AMBER


async def test_what_cannot_be_seen_is_not_guessed(subject: Any) -> None:
    """Whether sound arrives shows a call."""
    found = await looked(sound_arrives, subject())
    assert (found.colour, "./voicefleet call" in found.fix) == (Colour.NOT_PROVEN, True)


@pytest.mark.parametrize(("settings", "colour", "why"), [
    (TWILIO, Colour.GREEN, "in its carrier's form"),
    (TWILIO | {"sip_from_number": "2025550177"}, Colour.RED, "with + and country code"),
    (TWILIO | {"sip_trunk_hostname": "mine.sip.twilio.com"}, Colour.RED, "Programmable Voice"),
    (TWILIO | {"sip_from_number": ""}, Colour.RED, "no number to call from"),
    ({}, Colour.NOT_PROVEN, "No real trunk"),
])  # fmt: skip
async def test_what_the_carrier_wants_of_the_caller(subject: Any, settings: dict[str, str], colour: Colour, why: str) -> None:
    """A wrong From header is a 403 that nobody explains."""
    found = await looked(from_rule, subject(**settings))
    assert (found.colour, why in found.why) == (colour, True), found


@pytest.mark.parametrize(("alive", "colour"), [
    (None, Colour.NOT_PROVEN), ([], Colour.RED), ([Worker("a", 2, 2)], Colour.AMBER), ([Worker("a", 2, 1)], Colour.GREEN),
])  # fmt: skip
async def test_a_worker_with_a_free_slot(subject: Any, alive: list[Worker] | None, colour: Colour) -> None:
    """Without one, callers hear endless ringing."""
    assert (await looked(workers, subject(alive=alive))).colour is colour
