"""The work of one process on calls that have ended: extraction, kept with the call. What fails is written down, never raised."""

import asyncio
from dataclasses import dataclass
from typing import Any

from livekit.agents import APIError

from config import Settings
from modules.after_call.answers import Answer, Turn, nothing_said
from modules.after_call.extraction import extract
from modules.call_queue_manager import EndedCalls, Records, Store, connect, read_after
from modules.calls import Call
from modules.calls.errors import NotFound, Unavailable, VoicefleetError
from modules.conversation.assembly import Loaded
from modules.conversation.personalities import Personalities, personalities_of
from modules.conversation.speech import mind
from modules.conversation.wanted import WAITING
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError

log = get_logger("after_call")

_AT_ONCE = 4
_AGAIN_S = 1.0
_MOST_EVENTS = 5000


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set, whatever happens: a fault here must not end the worker it runs beside.

    Waits while Redis is away. What is under way at the end is left to another process.
    """
    personalities = personalities_of(settings)
    while not stop.is_set():
        try:
            store = await connect(settings.redis_url, blocking_s=1)
            try:
                await AfterCall(store, settings, personalities).run(stop)
            finally:
                await store.close()
        except Unavailable:
            await _pause(stop)
        except Exception:
            log.exception("after_call.stumbled")
            await _pause(stop)


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_AGAIN_S):
            await stop.wait()
    except TimeoutError:
        pass


@dataclass(slots=True)
class AfterCall:
    """One process's hands for calls that have ended."""

    store: Store
    settings: Settings
    personalities: Personalities

    async def run(self, stop: asyncio.Event) -> None:
        """Take calls and work on a few of them at once, until `stop`. Raises Unavailable."""
        ended, free = EndedCalls(self.store), asyncio.Semaphore(_AT_ONCE)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while not stop.is_set():
                for receipt, call in await ended.next():
                    await free.acquire()
                    tasks.add(task := asyncio.create_task(self._one(ended, free, receipt, call), name=f"after {call.call_id}"))
                    task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, ended: EndedCalls, free: asyncio.Semaphore, receipt: str, call: Call) -> None:
        try:
            await self.extraction(call)
            await ended.done(receipt)
        except Unavailable as error:
            log.warning("after_call.waiting", call_id=call.call_id, why=error.message)  # it is handed out again
        except Exception:
            log.exception("after_call.failed", call_id=call.call_id)
        finally:
            free.release()

    async def extraction(self, call: Call) -> None:
        """Find and keep the answers of a call, if it is to bring any home and has not yet. Raises Unavailable."""
        records = Records(self.store, lease_s=self.settings.lease_s, retention_s=self.settings.retention_s)
        try:
            if (await records.load(call.call_id)).extraction != WAITING:
                return
            await records.learn(call.call_id, "call.extracted", extraction=await self._found(call))
        except NotFound:
            log.info("after_call.too_late", call_id=call.call_id)

    async def _found(self, call: Call) -> dict[str, Any]:
        try:
            loaded = self.personalities.load(call.arm or call.personality)
            turns = await self._turns(call.call_id)
            anybody = any(turn.speaker != "agent" for turn in turns)
            answers = await self._asked(loaded, call, turns) if anybody else nothing_said(loaded.content.extract)
        except Unavailable:
            raise
        except (VoicefleetError, YamlError, APIError, TimeoutError, ValueError) as error:
            log.warning("extraction.failed", call_id=call.call_id, error=type(error).__name__)
            return {"status": "failed", "reason": f"The model gave no answers ({type(error).__name__})."}
        return {"status": "done", "answers": {name: answer.to_json() for name, answer in answers.items()}}

    async def _asked(self, loaded: Loaded, call: Call, turns: list[Turn]) -> dict[str, Answer]:
        """Ask the personality's models, one after the other, until one answers. Raises what the last one raised."""
        *first, last = loaded.content.components.llm
        for component in first:
            try:
                return await extract(mind(component, self.settings, call.variables), loaded.content.extract, turns)
            except (VoicefleetError, APIError, TimeoutError, ValueError) as error:
                log.info("extraction.next_model", call_id=call.call_id, error=type(error).__name__)
        return await extract(mind(last, self.settings, call.variables), loaded.content.extract, turns)

    async def _turns(self, call_id: str) -> list[Turn]:
        events = await read_after(self.store, "0", call_id=call_id, count=_MOST_EVENTS)
        said = [event.data for event in events if event.type == "call.turn"]
        return [Turn(int(turn["index"]), str(turn["speaker"]), str(turn["text"])) for turn in said]
