"""Asks a SIP address whether it is there: one OPTIONS request over UDP, as SIP devices ask each other. It rings nothing."""

import asyncio
import secrets
import socket
from typing import Literal

_AGAIN_AFTER_S = (0.5, 1.0, 2.0)  # SIP's own retransmission times, then it is given up

Reach = Literal["answers", "silent", "unknown_name"]


async def reach(hostname: str) -> Reach:
    """Whether anything at `host[:port]` answers SIP. Some carriers never answer OPTIONS: silent is a hint, not a verdict."""
    host, _, port = hostname.partition(":")
    answers = _Answers()
    loop = asyncio.get_running_loop()
    try:
        addresses = await loop.getaddrinfo(host, int(port or 5060), type=socket.SOCK_DGRAM)
        remote = (str(addresses[0][4][0]), int(port or 5060))
        transport, _ = await loop.create_datagram_endpoint(lambda: answers, remote_addr=remote)
    except OSError:
        return "unknown_name"
    try:
        local_host, local_port = transport.get_extra_info("sockname")[:2]
        request = _options(host, f"[{local_host}]:{local_port}" if ":" in local_host else f"{local_host}:{local_port}")
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


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.closed = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if data.startswith(b"SIP/2.0 "):  # any answer will do; even a refusal comes from somebody who is there
            self.came.set()

    def error_received(self, exc: Exception) -> None:
        """A closed port says so; the time-outs above decide."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


def _options(host: str, local: str) -> bytes:
    lines = (
        f"OPTIONS sip:{host} SIP/2.0",
        f"Via: SIP/2.0/UDP {local};branch=z9hG4bK{secrets.token_hex(8)};rport",
        f"From: <sip:voicefleet@{local}>;tag={secrets.token_hex(4)}",
        f"To: <sip:{host}>",
        f"Call-ID: {secrets.token_hex(12)}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:voicefleet@{local}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
