"""Anything in any order against the real queue, with time that jumps: nothing is lost, doubled, or held by two."""

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from modules.call_queue_manager import CallQueue, Enqueued, Fenced, Held, Records, Repeat, Store, connect, keys
from modules.call_queue_manager.connection import RedisClock
from modules.calls import Call, Event, Outcome, Priority, Report, State
from modules.calls.errors import IdempotencyMismatch, IllegalTransition
from modules.calls.outcomes import RETRY, Retry
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis

LIMIT, LEASE_S = 3, 7
FIRST = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}
AHEAD = {State.PLACING: Event.DIALING, State.RINGING: Event.ANSWERED, State.IN_PROGRESS: Event.HUNG_UP}
which = st.integers(0, 50)


@dataclass(frozen=True)
class StoppedClock(RedisClock):
    """Moves only when told, so that a run is the same each time. A minute ahead: Redis's own time never overtakes it."""

    at_ms: int = 0

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Model:
    """What must be true of one accepted call, without asking Redis."""

    call: Call
    since_us: int
    place_us: int = 0
    """Its place in the line: where it first stood, as long as nobody dialled it."""
    tokens: list[int] = field(default_factory=list)


def in_us(due: datetime) -> int:
    """A due time as the queue keeps it: whole milliseconds."""
    return round(due.timestamp() * 1000) * 1000


class AnyQueue(RuleBasedStateMachine):
    """A queue on a real Redis, a handful of holders, some of them long replaced and still talking."""

    def __init__(self, loop: asyncio.Runner, store: Store) -> None:
        super().__init__()
        self.loop = loop
        self.store = store
        self.store.clock = StoppedClock(0.0, at_ms=int(time.time() * 1000) + 60_000)
        self.run(self.store.client.flushall())
        self.queue = CallQueue(self.store, lease_s=LEASE_S, retention_s=3600)
        self.records = Records(self.store, lease_s=LEASE_S, retention_s=3600)
        self.known: dict[str, Model] = {}
        self.first_answers: dict[str, tuple[str, str]] = {}
        self.held: dict[str, Held] = {}
        self.replaced: list[Held] = []

    def run(self, work: Awaitable[Any]) -> Any:
        async def waiting() -> Any:
            return await work

        return self.loop.run(waiting())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.store.clock.now_ms() / 1000, UTC)

    def holder(self, number: int) -> Held:
        return list(self.held.values())[number % len(self.held)]

    def follow(self, call_id: str) -> Call:
        call: Call = self.run(self.records.load(call_id))
        if call.state in (State.QUEUED, State.ENDED):
            self.let_go(call_id)
        if call.state is State.QUEUED:
            model = self.known[call_id]
            model.place_us = model.place_us or model.since_us
            model.since_us = in_us(call.not_before or call.created_at)
            if call.dials:
                model.place_us = model.since_us
        return call

    def place_in_line(self, call_id: str) -> tuple[int, int]:
        """Who comes first. Calls that are due at the same millisecond come in any order."""
        model = self.known[call_id]
        return FIRST[model.call.priority], model.place_us or model.since_us

    def let_go(self, call_id: str) -> None:
        if held := self.held.pop(call_id, None):
            self.replaced.append(held)

    @rule(priority=st.sampled_from(Priority), due_s=st.sampled_from([None, 4, 40]), key=st.sampled_from(["", "a", "b"]),
          body=st.sampled_from(["x", "y"]))  # fmt: skip
    def somebody_asks_for_a_call(self, priority: Priority, due_s: int | None, key: str, body: str) -> None:
        now = self.now()
        call = a_call(now, priority=priority, not_before=now + timedelta(seconds=due_s) if due_s else None)
        repeat = Repeat("owner", key, body) if key else None
        first = self.first_answers.get(key) if key else None
        if first and first[1] != body:
            with pytest.raises(IdempotencyMismatch):
                self.run(self.queue.enqueue(call, repeat))
            return
        answer, call_id = self.run(self.queue.enqueue(call, repeat))
        assert (answer, call_id) == ((Enqueued.KNOWN, first[0]) if first else (Enqueued.NEW, call.call_id))
        if not first:
            seconds, micros = self.run(self.store.client.time())
            entered_us = int(seconds) * 1_000_000 + int(micros)
            self.known[call_id] = Model(call, in_us(call.not_before) if call.not_before else entered_us)
            if key:
                self.first_answers[key] = (call_id, body)

    @rule()
    def an_orchestrator_claims(self) -> None:
        before, full = self.places(), len(self.held) >= LIMIT
        held = self.run(self.queue.claim(limit=LIMIT, calls_per_second=100, lease_s=LEASE_S))
        now_us = self.store.clock.now_ms() * 1000
        due = [call_id for call_id, place in before.items()
               if place == "ready" or (place == "scheduled" and self.known[call_id].since_us <= now_us)]  # fmt: skip
        if full or not due:
            assert held is None
            return
        assert held
        model = self.known[held.call.call_id]
        assert self.place_in_line(held.call.call_id) == min(self.place_in_line(call_id) for call_id in due)
        assert held.call.state is State.QUEUED
        assert held.token > max(model.tokens, default=0)
        model.tokens.append(held.token)
        self.held[held.call.call_id] = held

    @precondition(lambda self: self.held)
    @rule(number=which)
    def a_holder_goes_on(self, number: int) -> None:
        held = self.holder(number)
        call = self.run(self.records.load(held.call.call_id))
        if call.state is State.ENDED:  # cancelled meanwhile: the holder hangs up
            self.run(self.records.release(call.call_id, held.token))
            self.let_go(call.call_id)
            return
        report = Report(AHEAD[call.state]) if call.state in AHEAD else Report(Event.CLAIMED, room="r")
        self.run(self.records.report(call.call_id, report, token=held.token))
        self.follow(call.call_id)

    @precondition(lambda self: self.held)
    @rule(number=which, outcome=st.sampled_from(Outcome), again_s=st.sampled_from([None, 1, 30]))
    def an_attempt_fails(self, number: int, outcome: Outcome, again_s: int | None) -> None:
        held = self.holder(number)
        before = self.run(self.records.load(held.call.call_id))
        again = self.now() + timedelta(seconds=again_s) if again_s else None
        report = Report(Event.ATTEMPT_FAILED, outcome, retry_at=again)
        try:
            self.run(self.records.report(held.call.call_id, report, token=held.token))
        except IllegalTransition:
            assert self.run(self.records.load(held.call.call_id)) == before
            return
        after = before if before.state is State.ENDED else self.follow(held.call.call_id)
        if before.state is State.RINGING and after.state is State.QUEUED:
            assert RETRY[outcome] is not Retry.NEVER

    @precondition(lambda self: self.held)
    @rule(number=which, later_s=st.integers(0, 30))
    def a_holder_postpones(self, number: int, later_s: int) -> None:
        held = self.holder(number)
        before = self.run(self.records.load(held.call.call_id))
        if before.state is State.QUEUED:
            self.run(self.records.postpone(held, self.now() + timedelta(seconds=later_s), "later"))
            assert self.follow(held.call.call_id).attempt == before.attempt

    @precondition(lambda self: self.held)
    @rule(number=which)
    def a_holder_says_still_here(self, number: int) -> None:
        held = self.holder(number)
        assert self.run(self.records.renew(held)) is not None
        self.run(self.records.note(held, "call.note", {}))

    @precondition(lambda self: self.known)
    @rule(number=which, hold=st.booleans())
    def somebody_cancels(self, number: int, hold: bool) -> None:
        call_id = list(self.known)[number % len(self.known)]
        if self.run(self.records.load(call_id)).state is State.ENDED:
            hold = True  # it is over; only its holder gives the slot back
        self.run(self.records.report(call_id, Report(Event.CANCELLED), release=not hold or call_id not in self.held))
        if not hold:
            self.let_go(call_id)

    @rule(seconds=st.sampled_from([0.5, 3, 8, 45]))
    def time_passes(self, seconds: float) -> None:
        self.store.clock = StoppedClock(0.0, at_ms=self.store.clock.now_ms() + int(seconds * 1000))

    @rule()
    def a_reaper_looks(self) -> None:
        lost, late = self.run(self.queue.overdue(gap_s=1e9))
        assert set(lost) <= set(self.held) | {call_id for call_id, place in self.places().items() if place == "leased"}
        assert set(late) <= set(self.known)
        for call_id in lost:
            if held := self.run(self.queue.seize(call_id)):
                self.let_go(call_id)
                self.known[call_id].tokens.append(held.token)
                self.held[call_id] = held

    @precondition(lambda self: self.replaced)
    @rule(number=which)
    def a_replaced_holder_writes(self, number: int) -> None:
        old = self.replaced[number % len(self.replaced)]
        call_id = old.call.call_id
        if self.known[call_id].tokens[-1] == old.token:
            return  # it let go by itself and nobody has taken the call since: its word still counts, as a repeat
        before = self.run(self.records.load(call_id))
        for report in (Report(Event.CLAIMED, room="r"), Report(Event.DIALING), Report(Event.CANCELLED)):
            with pytest.raises(Fenced):
                self.run(self.records.report(call_id, report, token=old.token))
        with pytest.raises(Fenced):
            self.run(self.records.take(old, "call.agent_ready", worker_id="late"))
        with pytest.raises(Fenced):
            self.run(self.records.note(old, "call.turn", {}))
        assert self.run(self.records.renew(old)) is None
        assert self.run(self.records.load(call_id)) == before

    def places(self) -> dict[str, str]:
        """Where each accepted call is, by Redis alone."""

        async def look() -> dict[str, str]:
            async with self.store.client.pipeline() as pipe:
                for key in (keys.READY, keys.SCHEDULED, keys.LEASES):
                    pipe.zrange(key, 0, -1)
                for call_id in self.known:
                    pipe.hget(keys.call(call_id), "record")
                ready, scheduled, leased, *records = await pipe.execute()
            found: dict[str, list[str]] = {call_id: [] for call_id in self.known}
            for call_id, record in zip(self.known, records, strict=True):
                if json.loads(record)["state"] == "ended":
                    found[call_id].append("ended")
            for name, ids in (("ready", ready), ("scheduled", scheduled), ("leased", leased)):
                for call_id in ids:
                    # a cancelled call may keep its slot until its holder has hung up
                    if not (name == "leased" and found[call_id] == ["ended"]):
                        found[call_id].append(name)
            assert all(len(places) == 1 for places in found.values()), found
            return {call_id: places[0] for call_id, places in found.items()}

        result: dict[str, str] = self.run(look())
        return result

    @invariant()
    def every_accepted_call_is_in_exactly_one_place(self) -> None:
        self.places()

    @invariant()
    def no_more_slots_are_taken_than_there_are(self) -> None:
        held = self.run(self.store.client.zrange(keys.LEASES, 0, -1))
        assert len(held) <= LIMIT
        assert set(held) == set(self.held)

    @invariant()
    def only_the_newest_token_of_a_call_counts(self) -> None:
        for call_id, model in self.known.items():
            token = self.run(self.store.client.hget(keys.call(call_id), "token"))
            assert int(token) == max(model.tokens, default=0)

    def teardown(self) -> None:
        for call_id in self.known:
            self.run(self.records.report(call_id, Report(Event.CANCELLED)))
            self.run(self.records.release(call_id, None))
        immortal = self.run(self._immortal())
        assert immortal == []

    async def _immortal(self) -> list[str]:
        return [key async for key in self.store.client.scan_iter() if await self.store.client.ttl(key) == -1]


def test_anything_in_any_order(redis_url: str) -> None:
    """Whatever clients, agents and clocks do, each accepted call is waiting, held by one, or ended; never two, never none."""
    usual = settings()
    with asyncio.Runner() as loop:
        store = loop.run(connect(redis_url))
        try:
            run_state_machine_as_test(
                lambda: AnyQueue(loop, store),  # type: ignore[arg-type]  # any maker of a machine will do
                settings=settings(usual, max_examples=max(25, usual.max_examples // 3), stateful_step_count=40),
            )
        finally:
            loop.run(store.close())
