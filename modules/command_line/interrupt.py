"""Ctrl-C and SIGTERM for a command that has a fleet: the first stops everything in order, the second at once."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from modules.fleet import Fleet


async def interruptible(work: Coroutine[Any, Any, int], fleet: Fleet) -> int:
    """Do `work` and return its exit code; a signal cancels it, its cleaning up is waited for, and 128 + signal returned."""
    working = asyncio.create_task(work, name="command")
    told: list[int] = []

    def heard(number: int) -> None:
        told.append(number)
        if len(told) > 1:
            fleet.hurry()
        else:
            working.cancel()

    if sys.platform != "win32":  # there Ctrl-C reaches asyncio.run by itself
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, heard, number)
    try:
        return await working
    except asyncio.CancelledError:
        if told:
            return 128 + told[0]
        raise
