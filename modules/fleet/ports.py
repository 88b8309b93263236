"""Which ports are free on this machine's loopback. A port is only known to be free at the moment of asking."""

import random
import socket

# Below the range from which the system takes ports for outgoing connections, so that nobody grabs one by chance meanwhile.
_FIRST, _LAST = 20_000, 32_000


def is_free(port: int, *, udp: bool = False, host: str = "127.0.0.1") -> bool:
    """Return whether a program could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out free ports, none of them twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()
        self._random = random.SystemRandom()

    def take(self, usual: int | None = None) -> int:
        """Return a port free for TCP and UDP: `usual` if it is, else any."""
        while True:
            port = usual if usual else self._random.randrange(_FIRST, _LAST)
            usual = None
            if port not in self._given and is_free(port) and is_free(port, udp=True):
                self._given.add(port)
                return port
