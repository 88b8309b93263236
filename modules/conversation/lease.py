"""The agent's hold on its call: taken once, renewed while it lives, given up at once when somebody else has it.

Renewing also shows that the record has changed, which is how a cancel from outside arrives (within RENEW_S).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from modules.call_queue_manager import Held, Records
from modules.calls import Call, State
from modules.calls.errors import NotFound, Unavailable
from modules.calls.job import CallJob
from modules.conversation.ending import Ending
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

RENEW_S = 1.0


async def take(records: Records, job: CallJob, worker_id: str, facts: Callable[[Call], dict[str, Any]]) -> Held | None:
    """Take the attempt this job was sent for; None when it is no longer ours to take (late, repeated, cancelled).

    `facts` says what else the record shall hold from now on; it is asked only where the attempt is ours.
    """
    try:
        call = await records.load(job.call_id)
    except NotFound:
        return None
    held = Held(call, job.token)
    if call.state is not State.PLACING or call.attempt != job.attempt or call.worker_id is not None:
        return None
    if await records.renew(held) is None:
        return None
    return await records.take(held, "call.agent_ready", worker_id=worker_id, **facts(call))


async def is_over(records: Records, job: CallJob) -> bool:
    """Return whether the call ended before its agent came (a cancel): then the room made for it serves nobody."""
    try:
        return (await records.load(job.call_id)).state is State.ENDED
    except NotFound:
        return True


async def keep(records: Records, held: Held, ending: Ending) -> None:
    """Renew until cancelled: also while the call is closed, so that nobody takes a living agent for a dead one meanwhile.

    While Redis is away the conversation simply goes on.
    """
    known = held.call.version
    while True:
        try:
            version = await records.renew(held)
            if version is None:
                ending.decide(None, "somebody else holds the call")
                return
            if version != known:
                known = version
                if (await records.load(held.call.call_id)).state is State.ENDED:
                    ending.decide(None, "the call was cancelled")
        except NotFound:
            ending.decide(None, "the call is unknown")
        except Unavailable:
            log.warning("redis.away", call_id=held.call.call_id)
        except Exception:
            log.exception("lease.stumbled", call_id=held.call.call_id)  # whoever stops renewing loses a call that goes well
        await asyncio.sleep(RENEW_S)
