"""Ears for many callees: pocketsphinx in a child process, because decoding holds the interpreter's lock for 50-150 ms."""

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from modules.conversation.speech.local.decoder import Decoder, Expected

_decoder: Decoder | None = None  # of the child process; set once by _start


class Listener:
    """Hears any of the given lines in a whole utterance of 16 kHz sound."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = tuple(lines)
        self._child = self._new_child()

    async def warm_up(self) -> None:
        """Return when the child has loaded its model."""
        await self.hear(b"")

    async def hear(self, pcm: bytes) -> str:
        """Return the words, or "". A child that died is replaced, and the utterance heard again."""
        loop = asyncio.get_running_loop()
        child = self._child
        try:
            return await loop.run_in_executor(child, _hear, pcm)
        except BrokenProcessPool:
            if child is self._child:
                self._child = self._new_child()
            return await loop.run_in_executor(self._child, _hear, pcm)

    def close(self) -> None:
        """End the child now; one that is still loading would hold up the end of this process for seconds."""
        self._child.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()

    def _new_child(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=_start, initargs=(self._lines,))


def _start(lines: Sequence[str]) -> None:
    global _decoder
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()
    _decoder = Expected(lines).decoder()


def _die_with_parent() -> None:
    """A parent that was killed outright cannot stop its children."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _hear(pcm: bytes) -> str:
    assert _decoder is not None
    return _decoder.decode(pcm) if pcm else ""
