"""How the monitor learns that a carrier has begun to refuse us: from the stream of what happened, the last fifteen minutes."""

import pytest

from modules.call_queue_manager import Records, Store
from modules.calls import Event, Outcome, Report
from modules.sip_management.carrier_errors import CarrierErrors
from tests.fleet_clock import Claim, Clock, Enqueue

pytestmark = pytest.mark.redis


async def refused(records: Records, claim: Claim, *, again: bool = False, outcome: Outcome = Outcome.CARRIER_ERROR) -> None:
    """Dial the next call and hear 503, or how else it failed."""
    held = await claim()
    assert held is not None
    call_id, token = held.call.call_id, held.token
    await records.report(call_id, Report(Event.CLAIMED, room="room"), token=token)
    await records.report(call_id, Report(Event.DIALING), token=token)
    at = records.now() if again else None
    await records.report(call_id, Report(Event.ATTEMPT_FAILED, outcome, "", 503, retry_at=at), token=token)


async def test_refusals_are_counted_by_trunk_and_code(store: Store, enqueue: Enqueue, claim: Claim, records: Records) -> None:
    """Each failed attempt of a real call counts, also one that is tried again; busy people and simulated calls do not."""
    errors = CarrierErrors(store)
    await enqueue(trunk="berlin", simulated=False)
    await refused(records, claim, again=True)
    await refused(records, claim)
    await enqueue(trunk="berlin", simulated=False)
    await refused(records, claim, outcome=Outcome.BUSY)
    await enqueue()
    await refused(records, claim)
    assert await errors.lately() == {("berlin", "carrier_error", 503): 2}
    assert await errors.lately() == {("berlin", "carrier_error", 503): 2}, "looking again counts nothing twice"


async def test_what_is_long_ago_is_forgotten(
    store: Store, enqueue: Enqueue, claim: Claim, records: Records, clock: Clock
) -> None:
    """After a quarter of an hour without a refusal the carrier is well again, for a new monitor as well."""
    early, late = CarrierErrors(store), CarrierErrors(store)
    await enqueue(trunk="berlin", simulated=False)
    await refused(records, claim)
    assert sum((await early.lately()).values()) == 1
    clock.passes(minutes=16)
    assert not await early.lately() and not await late.lately()
