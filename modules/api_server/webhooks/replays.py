"""A webhook counts once. Its mark is in Redis, so that no other API process takes in the same one."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from modules.api_server.errors import Replayed
from modules.call_queue_manager import Store, keys


@asynccontextmanager
async def once(store: Store, sender: str, identity: str, kept_s: int) -> AsyncIterator[None]:
    """Do what a webhook says, unless one of this identity was taken in within `kept_s`. Raises Replayed, Unavailable.

    Where doing it fails the mark is taken back: its sender may try again.
    """
    mark = keys.webhook(hashlib.sha256(f"{sender}\n{identity}".encode()).hexdigest())
    if not await store.call("SET", mark, "1", "NX", "EX", kept_s):
        raise Replayed("This webhook was taken in before; nothing was changed.")
    try:
        yield
    except BaseException:
        await store.call("DEL", mark)
        raise
