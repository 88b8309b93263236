"""Live records: read, moved on by reports, kept alive by their holder. The only place that writes a call after its acceptance."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from modules.call_queue_manager import keys
from modules.call_queue_manager.connection import Store
from modules.call_queue_manager.events import read_after
from modules.call_queue_manager.queue import Held
from modules.calls import Call, Disposition, Report, State, advance
from modules.calls.deadlines import deadline
from modules.calls.errors import NotFound, VoicefleetError


class Fenced(VoicefleetError):
    """Somebody else holds this call now; whoever reads this must let go of it at once."""

    status = 409
    code = "fenced"


class Records:
    """The fleet's live calls."""

    def __init__(self, store: Store, *, lease_s: float, retention_s: int) -> None:
        self._store = store
        self._lease_s = lease_s
        self._retention_s = retention_s

    async def load(self, call_id: str) -> Call:
        """Return a call as it is now. Raises NotFound once Redis has forgotten it (history may still know)."""
        call, _ = await self._read(call_id)
        return call

    async def _read(self, call_id: str) -> tuple[Call, int]:
        version, token, record = await self._store.call("HMGET", keys.call(call_id), "version", "token", "record")
        if record is None:
            raise NotFound("No live call has this id.")
        return Call.from_json(json.loads(record) | {"version": int(version)}), int(token)

    async def report(
        self, call_id: str, report: Report, *, token: int | None = None, release: bool | None = None
    ) -> tuple[Call, Disposition]:
        """Tell a call's state machine what happened; return the call afterwards.

        `token` fences: with one, only the present holder is heard. A call that ends or goes back to the queue gives up its
        slot unless `release` is False (a cancel leaves the slot to the holder, who still has to hang up).
        Raises Fenced, NotFound, IllegalTransition, Unavailable.
        """
        written: Call | None = None
        while True:
            call, holder = await self._read(call_id)
            if token is not None and token != holder:
                raise Fenced("Somebody else holds this call now.")
            if call == written:
                # The client had asked twice because the first answer was lost on the way; that first one was a yes.
                return call, Disposition.APPLIED
            now = self.now()
            changed, disposition = advance(call, report, now)
            if disposition is Disposition.REPEATED:
                return call, disposition
            written = replace(changed, version=call.version + 1)
            if await self._save(written, call.version, report, now, token=token, release=release):
                return written, disposition

    async def take(self, held: Held, event_type: str, **facts: Any) -> Held | None:
        """Write who has come for a call, and further facts; None where anybody wrote since `held` was read, so that of many
        who come at once one gets it. Changes no state. Raises Fenced, Unavailable."""
        changed = replace(held.call, version=held.call.version + 1, **facts)
        saved = await self._save(changed, held.call.version, event_type, self.now(), token=held.token, release=False)
        # Where the first answer was lost on the way, the client has asked twice, and what it finds written is its own.
        return Held(changed, held.token) if saved or await self.load(held.call.call_id) == changed else None

    async def learn(self, call_id: str, event_type: str, **facts: Any) -> Call:
        """Write what was found out about a call that has ended, whoever held it. Raises NotFound, Unavailable."""
        while True:
            call, _ = await self._read(call_id)
            changed = replace(call, version=call.version + 1, **facts)
            if await self._save(changed, call.version, event_type, self.now(), token=None, release=True):
                return changed

    async def holding(self, call_id: str) -> Held:
        """Return a call with the token of whoever holds it. Raises NotFound."""
        return Held(*await self._read(call_id))

    async def postpone(self, held: Held, until: datetime, reason: str) -> None:
        """Put a claimed call that was not placed yet back into the queue. Raises Fenced, Unavailable."""
        while True:
            call = await self.load(held.call.call_id)
            if call.state is not State.QUEUED:
                await self.release(call.call_id, held.token)
                return
            changed = replace(call, version=call.version + 1, not_before=until, reason=reason)
            if await self._save(changed, call.version, "call.postponed", self.now(), token=held.token, release=True):
                return

    async def renew(self, held: Held, *, lease_s: float | None = None) -> int | None:
        """Say "still here"; return the call's version, or None when the call is somebody else's by now."""
        now_ms, call_id = self._store.clock.now_ms(), held.call.call_id
        expiry_ms = now_ms + int((lease_s or self._lease_s) * 1000)
        version = await self._store.run("renew", [keys.call(call_id), keys.LEASES], [call_id, held.token, expiry_ms, now_ms])
        return int(version) if version is not None else None

    async def doubt(self, call: Call, *, silent_s: float) -> bool:
        """Let the lease on `call` end once its holder has been silent for `silent_s`; return whether that is sooner.

        A holder that lives renews and keeps its call; one that has written since `call` was read is not doubted.
        """
        shorter = await self._store.run(
            "doubt", [keys.call(call.call_id), keys.LEASES], [call.call_id, call.version, int(silent_s * 1000)]
        )
        return bool(shorter)

    async def release(self, call_id: str, token: int | None) -> None:
        """Give the call's slot back."""
        await self._store.run(
            "release",
            [keys.call(call_id), keys.LEASES, keys.PLACING],
            [call_id, "" if token is None else token],
        )

    async def note(self, held: Held, event_type: str, data: dict[str, Any]) -> None:
        """Add an event that changes no state, e.g. a spoken turn. Raises Fenced, Unavailable."""
        if await self._noted(held.call.call_id, str(held.token), event_type, data) is None:
            raise Fenced("Somebody else holds this call now.")

    async def remark(self, call_id: str, event_type: str, data: dict[str, Any]) -> None:
        """Add what somebody who does not hold the call saw or said; changes no state. Raises NotFound, Unavailable."""
        if await self._noted(call_id, "", event_type, data) is None:
            raise NotFound("No live call has this id.")

    async def remarks(self, call_id: str, event_type: str) -> list[dict[str, Any]]:
        """Return the data of all of a call's events of one type, the oldest first. Raises Unavailable."""
        found: list[dict[str, Any]] = []
        after = "0"
        while events := await read_after(self._store, after, call_id=call_id):
            after = events[-1].id
            found += [event.data for event in events if event.type == event_type]
        return found

    async def _noted(self, call_id: str, token: str, event_type: str, data: dict[str, Any]) -> str | None:
        written: str | None = await self._store.run(
            "note",
            [keys.call(call_id), keys.EVENTS, keys.call_events(call_id)],
            [call_id, token, event_type, json.dumps(data), self.now().isoformat(), keys.EVENTS_LENGTH, keys.EVENTS_TTL_S],
        )
        return written

    def now(self) -> datetime:
        """Return the fleet's time, which is Redis's: a machine whose clock is wrong must not decide when somebody is called."""
        return datetime.fromtimestamp(self._store.clock.now_ms() / 1000, UTC)

    async def _save(
        self, call: Call, expected: int, said: Report | str, now: datetime, *, token: int | None, release: bool | None
    ) -> bool:
        free = call.state in (State.ENDED, State.QUEUED)
        event = said.event.value if isinstance(said, Report) else said
        event_type = f"call.{call.state.value}" if isinstance(said, Report) else said
        due = deadline(call, now)
        record = json.dumps(call.to_json())
        answer = await self._store.run(
            "save",
            [
                keys.call(call.call_id), keys.READY, keys.SCHEDULED, keys.LEASES, keys.DEADLINES, keys.EVENTS,
                keys.call_events(call.call_id), keys.PLACING,
            ],
            [
                call.call_id, expected, "" if token is None else token, record, _queue(call),
                "drop" if (free if release is None else release) else "keep",
                "" if due is None else int(due.timestamp() * 1000),
                self._retention_s if call.state is State.ENDED else keys.LIVE_TTL_S,
                event_type, json.dumps(call.to_json() | {"event": event}), now.isoformat(),
                keys.EVENTS_LENGTH, keys.EVENTS_TTL_S, "0" if call.state is State.PLACING else "1",
            ],
        )  # fmt: skip
        if answer[0] == "fenced":
            raise Fenced("Somebody else holds this call now.")
        if answer[0] == "gone":
            raise NotFound("No live call has this id.")
        return bool(answer[0] == "saved")


def _queue(call: Call) -> str:
    """Where the save script must put the call. A call that is queued here is one that comes back for another attempt."""
    if call.state is not State.QUEUED:
        return "out"
    due = call.not_before or call.created_at
    return f"due:{int(due.timestamp() * 1000)}"
