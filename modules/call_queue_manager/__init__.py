"""What is going on now, in Redis, and the only package that imports redis.

connection  the pool, Redis's clock, durability      keys     every key with type, life and writer
queue       accept, claim, seize, overdue            records  live calls: report, renew, release, note
front_door  calls that come in                        workers  heartbeats and slots      pacing  the carrier's turn
lock        one at a time                do_not_call  who is not called
events      the stream of what happened          ended_calls  each handed to one process, for what follows
"""

from modules.call_queue_manager.connection import Store, connect, make_durable
from modules.call_queue_manager.do_not_call import DoNotCall
from modules.call_queue_manager.do_not_call import Entry as DoNotCallEntry
from modules.call_queue_manager.ended_calls import EndedCalls
from modules.call_queue_manager.events import StreamEvent, follow, latest_id, read_after
from modules.call_queue_manager.front_door import Admission, FrontDoor, SourceLimits
from modules.call_queue_manager.lock import exclusive
from modules.call_queue_manager.pacing import Pacing
from modules.call_queue_manager.queue import CallQueue, Enqueued, Held, Repeat
from modules.call_queue_manager.records import Fenced, Records
from modules.call_queue_manager.workers import Worker, Workers

__all__ = [
    "Admission",
    "CallQueue",
    "DoNotCall",
    "DoNotCallEntry",
    "EndedCalls",
    "Enqueued",
    "Fenced",
    "FrontDoor",
    "Held",
    "Pacing",
    "Records",
    "Repeat",
    "SourceLimits",
    "Store",
    "StreamEvent",
    "Worker",
    "Workers",
    "connect",
    "exclusive",
    "follow",
    "latest_id",
    "make_durable",
    "read_after",
]
