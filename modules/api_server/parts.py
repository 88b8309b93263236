"""What the API stands on: Redis, history, trunks, personalities. Each outside part may be missing and come back by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request

from config import Settings, parse_hours
from modules.call_history import ApiKeys, History, Search, Stats, open_history
from modules.call_queue_manager import CallQueue, Records, Store, Workers, connect, make_durable
from modules.call_queue_manager.events import BLOCK_MS
from modules.calls.errors import Unavailable
from modules.calls.gate import Policy
from modules.conversation.call_script import Composer
from modules.conversation.editing import Editor
from modules.conversation.personalities import Personalities, personalities_of
from modules.sip_management import Trunk
from modules.sip_management.trunk_book import TrunkBook

PartT = TypeVar("PartT")
_TRY_AGAIN_S = 0.5


class Part(Generic[PartT]):
    """Something that is opened when it is first needed. Where that fails, whoever needs it hears Unavailable at once."""

    def __init__(self, opened: Callable[[], Awaitable[PartT]], closed: Callable[[PartT], Awaitable[None]]) -> None:
        self._opened = opened
        self._closed = closed
        self._part: PartT | None = None
        self._opening = asyncio.Lock()
        self._failed: tuple[float, str] | None = None

    async def get(self) -> PartT:
        """Return the part. Raises Unavailable while it cannot be opened; it is tried again after half a second."""
        if self._part is None:
            async with self._opening:
                if self._part is None:
                    self._part = await self._open()
        return self._part

    async def _open(self) -> PartT:
        now = asyncio.get_running_loop().time()
        if self._failed and now < self._failed[0]:
            raise Unavailable(self._failed[1])
        try:
            return await self._opened()
        except Unavailable as error:
            self._failed = asyncio.get_running_loop().time() + _TRY_AGAIN_S, error.message
            raise

    async def close(self) -> None:
        """Close the part if it was opened."""
        if self._part is not None:
            part, self._part = self._part, None
            await self._closed(part)


@dataclass(frozen=True, slots=True)
class Live:
    """What is going on now, in Redis."""

    store: Store
    queue: CallQueue
    records: Records
    workers: Workers

    async def durable(self) -> None:
        """Return when Redis writes what it confirms to disk; a restarted one may have forgotten. Raises Unavailable."""
        found = await self.store.call("CONFIG GET", "append*")
        if (found.get("appendonly"), found.get("appendfsync")) != ("yes", "always"):
            await make_durable(self.store)

    async def close(self) -> None:
        """Close the connection pool."""
        await self.store.close()


@dataclass(frozen=True, slots=True)
class Past:
    """What happened, in SQL."""

    history: History
    search: Search
    stats: Stats
    keys: ApiKeys

    async def close(self) -> None:
        """Close the connection pool."""
        await self.history.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route may use."""

    settings: Settings
    live: Part[Live]
    listening: Part[Store]
    past: Part[Past]
    trunk_book: TrunkBook
    personalities: Personalities
    editor: Editor
    composer: Composer
    policy: Policy

    @property
    def trunks(self) -> dict[str, Trunk]:
        """The trunks by name as trunks.yaml says now, the one used by default first."""
        return self.trunk_book.trunks()

    async def close(self) -> None:
        """Close in reverse."""
        for part in (self.past, self.listening, self.live):
            await part.close()


def parts_of(settings: Settings) -> Parts:
    """Name the parts; nothing is opened yet. Raises TrunksUnusable."""

    async def live() -> Live:
        store = await connect(settings.redis_url)
        lease_s, retention_s = settings.lease_s, settings.retention_s
        return Live(
            store,
            CallQueue(store, lease_s=lease_s, retention_s=retention_s),
            Records(store, lease_s=lease_s, retention_s=retention_s),
            Workers(store),
        )

    async def listening() -> Store:
        return await connect(settings.redis_url, blocking_s=BLOCK_MS / 1000)

    async def past() -> Past:
        history = await open_history(settings.database_url)
        return Past(history, Search(history), Stats(history), ApiKeys(history))

    personalities, trunk_book = personalities_of(settings), TrunkBook(settings)
    trunk_book.trunks()
    return Parts(
        settings=settings,
        live=Part(live, Live.close),
        listening=Part(listening, Store.close),
        past=Part(past, Past.close),
        trunk_book=trunk_book,
        personalities=personalities,
        editor=Editor(settings.agents_dir, settings.prompts_dir, settings.data_dir / "saving.lock"),
        composer=Composer(personalities),
        policy=Policy(settings.allowed_countries, parse_hours(settings.calling_hours)),
    )


async def _from(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _now() -> datetime:
    return datetime.now(UTC)


Using = Annotated[Parts, Depends(_from)]
Now = Annotated[datetime, Depends(_now)]
"""The time of a request, read once; everything below the routes is given it."""
