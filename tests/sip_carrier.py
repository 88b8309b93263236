"""A carrier that answers SIP's OPTIONS on a real socket of this machine, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Carrier(asyncio.DatagramProtocol):
    """Answers every request, from the `ignored`+1st on, with the given first line."""

    def __init__(self, answer: bytes, ignored: int = 0) -> None:
        self.answer, self.ignored, self.asked = answer, ignored, list[bytes]()
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # it is one
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        self.asked.append(data)
        if len(self.asked) > self.ignored:
            self.transport.sendto(self.answer, addr)


@asynccontextmanager
async def listening(carrier: Carrier) -> AsyncIterator[str]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: carrier, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    try:
        yield f"{host}:{port}"
    finally:
        transport.close()
        await carrier.closed.wait()
