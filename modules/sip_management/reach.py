"""Asks a SIP address whether it is there: one OPTIONS request, as SIP devices ask each other. It rings nothing."""

import asyncio
import secrets
import socket
import ssl
from typing import Literal

from modules.sip_management.carriers import host_of

_AGAIN_AFTER_S = (0.5, 1.0, 2.0)  # SIP's own retransmission times over UDP, then it is given up
_STREAM_S = sum(_AGAIN_AFTER_S)
_PORTS = {"tls": 5061}
_ANSWER = b"SIP/2.0 "

Reach = Literal["answers", "silent", "unknown_name"]


async def reach(hostname: str, transport: str = "udp") -> Reach:
    """Whether anything at `host[:port]` answers SIP over udp, tcp or tls (auto: udp).

    Some carriers never answer OPTIONS: silent is a hint, not a verdict.
    """
    host = host_of(hostname)
    port = _port(hostname) or _PORTS.get(transport, 5060)
    kind = socket.SOCK_STREAM if transport in ("tcp", "tls") else socket.SOCK_DGRAM
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    except OSError:
        return "unknown_name"
    address = str(addresses[0][4][0])
    if kind == socket.SOCK_DGRAM:
        return await _by_datagram(host, address, port)
    return await _by_stream(host, address, port, encrypted=transport == "tls")


async def _by_datagram(host: str, address: str, port: int) -> Reach:
    answers = _Answers()
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: answers, remote_addr=(address, port))
    except OSError:
        return "unknown_name"
    try:
        request = _options(host, transport.get_extra_info("sockname"), "UDP")
        for wait_s in _AGAIN_AFTER_S:
            transport.sendto(request)
            try:
                async with asyncio.timeout(wait_s):
                    await answers.came.wait()
            except TimeoutError:
                continue
            return "answers"
        return "silent"
    finally:
        transport.close()
        await answers.closed.wait()


async def _by_stream(host: str, address: str, port: int, *, encrypted: bool) -> Reach:
    context = _unchecked() if encrypted else None
    try:
        async with asyncio.timeout(_STREAM_S):
            reader, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname=host if encrypted else None
            )
            try:
                writer.write(_options(host, writer.get_extra_info("sockname"), "TLS" if encrypted else "TCP"))
                return "answers" if await reader.readexactly(len(_ANSWER)) == _ANSWER else "silent"
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return "silent"


def _unchecked() -> ssl.SSLContext:
    """The question is whether somebody is there; nothing secret is said, so the certificate is not looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.closed = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if data.startswith(_ANSWER):  # any answer will do; even a refusal comes from somebody who is there
            self.came.set()

    def error_received(self, exc: Exception) -> None:
        """A closed port says so; the time-outs above decide."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


def _port(hostname: str) -> int:
    port = hostname.rpartition(":")[2] if hostname.count(":") == 1 or "]:" in hostname else ""
    return int(port) if port.isdigit() else 0


def _options(host: str, sockname: tuple[str, int], via: str) -> bytes:
    local_host, local_port = sockname[:2]
    local = f"[{local_host}]:{local_port}" if ":" in local_host else f"{local_host}:{local_port}"
    lines = (
        f"OPTIONS sip:{host} SIP/2.0",
        f"Via: SIP/2.0/{via} {local};branch=z9hG4bK{secrets.token_hex(8)};rport",
        f"From: <sip:voicefleet@{local}>;tag={secrets.token_hex(4)}",
        f"To: <sip:{host}>",
        f"Call-ID: {secrets.token_hex(12)}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:voicefleet@{local}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
