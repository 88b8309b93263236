"""The machine: container tools, ports, the sound's port range, the clock."""

import asyncio
import re
import shutil
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2
import psutil

from modules.calls.errors import Unavailable
from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red

_DISK_GB, _RAM_GB = 5, 2
_SKEW_AMBER_S, _SKEW_RED_S = 5, 60  # LiveKit allows a token's times to be a minute off
_SIP_PORT = 5060
_MOST_PUBLISHED = 500  # Docker starts a process for each published port, with some MB of memory
_ASK_S = 10


async def containers(subject: Subject) -> Finding:
    """Docker runs, compose is version 2, and there is room."""
    free_gb = shutil.disk_usage(subject.folder).free / 1e9
    ram_gb = psutil.virtual_memory().total / 1e9
    if free_gb < _DISK_GB:
        return red(f"The disk has {free_gb:.1f} GB left.", f"Free at least {_DISK_GB} GB: recordings and images need it.")
    if ram_gb < _RAM_GB:
        return amber(f"The machine has {ram_gb:.1f} GB of memory.", f"Have {_RAM_GB} GB: a call may take up to 0.5 GB.")
    bad = red if subject.trunks else amber  # the simulated network needs no container
    if not shutil.which("docker"):
        return bad("Docker is not installed.", "Install Docker with compose v2; livekit-sip, the way to real phones, runs in it.")
    code, version = await _run("docker", "compose", "version", "--short")
    if code or not version.lstrip("v").startswith(("2", "3", "4", "5")):
        return bad("`docker compose` version 2 is missing.", "Install the docker-compose-plugin package.")
    code, _ = await _run("docker", "info", "--format", "{{.ServerVersion}}")
    if code:
        return bad("Docker is installed, and its engine does not answer.", "Start it: sudo systemctl start docker")
    return green(f"Docker runs, compose {version}; {free_gb:.0f} GB of disk, {ram_gb:.0f} GB of memory.")


async def ports(subject: Subject) -> Finding:
    """Each port of ours is free, or the part that belongs there answers on it."""
    settings = subject.settings
    redis, livekit = urlsplit(settings.redis_url), urlsplit(settings.http_url)
    wanted: list[tuple[str, str, int, Callable[[], Awaitable[bool]]]] = [
        ("the API", settings.api_host, settings.api_port, lambda: _says(subject, f"http://127.0.0.1:{settings.api_port}/livez")),
        ("livekit-server", livekit.hostname or "", livekit.port or 80, lambda: _says(subject, settings.http_url)),
        ("Redis", redis.hostname or "", redis.port or 6379, lambda: _redis(subject)),
    ]
    here = [one for one in wanted if _is_local(one[1])]
    for what, host, port, ours in here:
        holder = await asyncio.to_thread(_holder, host, port)
        if holder and not await ours():
            return red(f"Port {port} of {what} is held by {holder}.", f"Stop that, or give {what} another port in .env.")
    sip = await asyncio.to_thread(_holder, "0.0.0.0", _SIP_PORT) if subject.trunks else ""
    if sip and not sip.startswith(("docker-proxy", "livekit-sip")):
        return red(f"Port {_SIP_PORT} of livekit-sip is held by {sip}.", "Stop that: carriers send calls to this port.")
    return green(f"Ports {', '.join(str(port) for _, _, port, _ in here)} are free or ours.")


async def sound_ports(subject: Subject) -> Finding:
    """A bridged livekit-sip publishes few ports."""
    service = subject.service("sip-server")
    if not service:
        return not_proven("There is no docker-compose.yaml here with a service sip-server.")
    if service.get("network_mode") == "host":
        return green("livekit-sip uses the host's network; nothing is published.")
    published = sum(_count(str(one)) for one in service.get("ports", []))
    if published > _MOST_PUBLISHED:
        fix = "Use rtp_port 10000-10200 and publish that, or network_mode: host."
        return red(f"livekit-sip publishes {published} ports, each with a process of Docker's.", fix)
    return green(f"livekit-sip publishes {published} ports.")


async def clock(subject: Subject) -> Finding:
    """This machine and livekit-server agree about the time: tokens are valid for minutes."""
    try:
        answer = await subject.http.get(subject.settings.http_url)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx2.HTTPError, KeyError, ValueError):
        return not_proven("livekit-server does not tell its time.", "Start it: ./voicefleet up")
    skew_s = abs((datetime.now(UTC) - theirs).total_seconds())
    fix = "Switch network time on, on both machines: sudo timedatectl set-ntp true"
    if skew_s > _SKEW_RED_S:
        return red(f"This machine and livekit-server differ by {skew_s:.0f} s: its tokens are refused.", fix)
    if skew_s > _SKEW_AMBER_S:
        return amber(f"This machine and livekit-server differ by {skew_s:.0f} s.", fix)
    return green("This machine and livekit-server agree about the time.")


async def _run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_ASK_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, ""
    return process.returncode or 0, said.decode(errors="replace").strip()


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _says(subject: Subject, url: str) -> bool:
    try:
        return (await subject.http.get(url)).status_code == 200
    except httpx2.HTTPError:
        return False


async def _redis(subject: Subject) -> bool:
    try:
        await subject.workers()
    except Unavailable:
        return False
    return True


def _holder(host: str, port: int) -> str:
    """Return who listens on a TCP port of this machine; "" where it is free."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that has just ended holds nothing
        with suppress(OSError):
            probe.bind(("127.0.0.1" if host == "localhost" else host, port))
            return ""
    for found in psutil.net_connections(kind="tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
            return f"{psutil.Process(found.pid).name()} (process {found.pid})"
    return "a process of another user"


def _count(published: str) -> int:
    """How many ports a line of compose's `ports` publishes: `${IP}:10000-10100:10000-10100/udp`."""
    found = re.search(r"(\d+)(?:-(\d+))?(?:/\w+)?$", published)
    return int(found[2] or found[1]) - int(found[1]) + 1 if found else 0
