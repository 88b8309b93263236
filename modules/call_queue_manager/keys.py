"""Every Redis key: its name, its type, how long it lives and who writes it. Nothing else builds a key.

All keys but DO_NOT_CALL expire, so that a fleet that is switched off leaves nothing behind; live ones are renewed by their
writer.
"""

import hashlib

PREFIX = "vf:"

READY = f"{PREFIX}ready"
"""ZSET call_id -> rank (priority, then microsecond of entry). Empties itself. enqueue/save/claim.lua."""
SCHEDULED = f"{PREFIX}scheduled"
"""ZSET call_id -> due ms. Empties itself. enqueue/save/claim.lua."""
LEASES = f"{PREFIX}leases"
"""ZSET call_id -> expiry ms: the calls somebody holds; its size is the fleet's concurrency. claim/renew/save/release.lua."""
OVERFLOW = f"{PREFIX}overflow"
"""ZSET call_id -> ms of arrival: callers beyond the fleet's calls for whom something is done; those without a lease are dropped
by the next arrival; 1 day. arrive.lua."""
TURNED_AWAY = f"{PREFIX}turned-away"
"""ZSET call_id -> ms of arrival: callers who hear one sentence and take no place from a conversation; as OVERFLOW. arrive.lua."""
PLACING = f"{PREFIX}placing"
"""ZSET call_id -> claim µs: claimed, not dialled yet. Empties itself. claim/save/release.lua."""
DEADLINES = f"{PREFIX}deadlines"
"""ZSET call_id -> ms by which the state must have changed: the second clock. enqueue/save.lua."""
EVENTS = f"{PREFIX}events"
"""STREAM of everything that happened to every call; 7 days after the last entry. enqueue/save/note.lua."""
REAPER = f"{PREFIX}reaper"
"""HASH last_ms, grace_until_ms: when any reaper last looked; 1 hour. overdue.lua."""
PAUSED = f"{PREFIX}paused"
"""STRING, present while dialling is paused; 30 days. pause()."""
DO_NOT_CALL = f"{PREFIX}do_not_call"
"""HASH number -> JSON at, source: who is not called. Never expires: such a wish outlives the fleet. do_not_call.py."""
TRUNKS_LOCK = f"{PREFIX}lock:trunks"
"""STRING, held by who changes the stored trunks and rules; 30 seconds. lock.py."""
LOOP_LOCK = f"{PREFIX}lock:loop"
"""STRING, held by the `doctor --loop` that runs; 12 seconds, renewed. lock.py."""

EVENTS_TTL_S = 7 * 86_400
EVENTS_LENGTH = 200_000
"""Entries kept at least; history reads them within milliseconds, browsers resume within minutes."""
ROOM_TTL_S = 86_400
"""Longer than any call."""
LIVE_TTL_S = 30 * 86_400
"""A record nobody touches for this long belongs to a fleet that was switched off."""


def call(call_id: str) -> str:
    """HASH version, token, record (JSON), place (its rank in READY): the call.

    LIVE_TTL_S, retention_s once it ended. enqueue/save/claim.lua.
    """
    return f"{PREFIX}call:{call_id}"


def call_events(call_id: str) -> str:
    """STREAM of one call's events, the same ids as in EVENTS. As long as the call. enqueue/save/note.lua."""
    return f"{PREFIX}call:{call_id}:events"


def idempotency(owner: str, key: str) -> str:
    """HASH body_sha, call_id: the first answer to an Idempotency-Key; retention_s. enqueue.lua."""
    digest = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
    return f"{PREFIX}idem:{digest}"


def worker(worker_id: str) -> str:
    """HASH slots, active, agent_name: one worker's heartbeat; WORKER_TTL. workers.py."""
    return f"{PREFIX}worker:{worker_id}"


WORKERS = f"{PREFIX}workers"
"""ZSET worker_id -> last heartbeat ms; 1 hour. workers.py."""


def pace(trunk: str) -> str:
    """ZSET dial ticket -> ms at which it stops counting; 1 minute. pace.lua."""
    return f"{PREFIX}pace:{trunk}"


def room(name: str) -> str:
    """HASH call_id, admission: the inbound call of a room, whose name holds the caller's number; ROOM_TTL_S. arrive.lua."""
    return f"{PREFIX}room:{hashlib.sha256(name.encode()).hexdigest()}"


def source(number: str) -> str:
    """ZSET call_id -> ms: the calls that were let in from one caller's number; 1 hour. arrive.lua."""
    return f"{PREFIX}source:{hashlib.sha256(number.encode()).hexdigest()}"


def webhook(digest: str) -> str:
    """STRING, present once this webhook was taken in; as long as a copy of it could do anything. webhooks/replays.py."""
    return f"{PREFIX}webhook:{digest}"
