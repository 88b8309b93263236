"""The one record of a call: nothing in it is lost on its way through JSON, and its ids tell nobody's number."""

import dataclasses
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from modules.calls import Call, Direction, Outcome, Priority, State, new_call_id, room_name
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

EVERY_FIELD_SET = Call(
    call_id="inbound-20261121-120000-abcdef123456",
    direction=Direction.INBOUND,
    state=State.ENDED,
    outcome=Outcome.TRANSFERRED,
    last_outcome=Outcome.BUSY,
    reason="Handed over.",
    sip_status_code=486,
    attempt=3,
    dials=2,
    version=17,
    to_number="+12025550100",
    from_number="+12025550199",
    personality="local_demo",
    arm="gym_short",
    personality_hash="ab" * 32,
    trunk="simulated",
    simulated=True,
    caller_name="Mia Müller",
    variables={"gym": "Eisen & Söhne"},
    metadata={"order": [1, 2.5, None, {"deep": True}]},
    extraction={"status": "done", "answers": {"price": {"value": 20, "quote": "twenty", "turn": 3}}},
    llm_prompt="Ask for the price.",
    greeting="Hello.",
    callback_url="https://example.org/done",
    priority=Priority.HIGH,
    max_attempts=4,
    max_call_s=120,
    ring_timeout_s=20,
    api_key_id="key_1",
    worker_id="host:1",
    room="inbound-20261121-120000-abcdef123456-3",
    created_at=NOON,
    not_before=NOON + timedelta(minutes=1),
    expires_at=NOON + timedelta(days=1),
    placing_at=NOON + timedelta(minutes=2, microseconds=1),
    ringing_at=NOON + timedelta(minutes=3),
    answered_at=NOON + timedelta(minutes=4),
    ended_at=NOON + timedelta(minutes=5),
)


def test_every_field_of_the_sample_differs_from_its_default() -> None:
    """Whoever adds a field to a call must add it to the sample here, so that no field is ever dropped by the serializer."""
    unset = object()
    for item in fields(Call):
        usual = item.default if item.default is not dataclasses.MISSING else unset
        if item.default_factory is not dataclasses.MISSING:
            usual = item.default_factory()
        assert getattr(EVERY_FIELD_SET, item.name) != usual, f"give {item.name} a value of its own in EVERY_FIELD_SET"


def test_nothing_is_lost_on_the_way_through_json() -> None:
    """What is written about my call is what is read."""
    again = Call.from_json(json.loads(json.dumps(EVERY_FIELD_SET.to_json())))
    assert again == EVERY_FIELD_SET
    assert [type(getattr(again, item.name)) for item in fields(Call)] == [
        type(getattr(EVERY_FIELD_SET, item.name)) for item in fields(Call)
    ]


def test_a_bare_call_comes_through_too() -> None:
    """Empty fields stay empty."""
    call = a_call()
    assert Call.from_json(json.loads(json.dumps(call.to_json()))) == call


@pytest.mark.parametrize("record", [{"surprise": 1}, {"state": "failed"}, {"outcome": "perhaps"}, {"created_at": "yesterday"}])
def test_a_record_that_is_not_ours_is_refused(record: dict[str, object]) -> None:
    """A record with a field or word nobody knows is not read as something else."""
    with pytest.raises((TypeError, ValueError)):
        Call.from_json(a_call().to_json() | record)


def test_a_call_cannot_be_changed_in_place() -> None:
    """Only the state machine makes the next version of a call."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_call().state = State.ENDED  # type: ignore[misc]  # that is the point


def test_ids_are_readable_unique_and_tell_no_number() -> None:
    """I can sort ids by time, and nobody learns from one whom I called."""
    ids = {new_call_id(Direction.OUTBOUND, NOON) for _ in range(2000)}
    assert len(ids) == 2000
    assert all(call_id.startswith("outbound-20261121-120000-") for call_id in ids)
    assert new_call_id(Direction.INBOUND, NOON).startswith("inbound-")
    call = a_call()
    assert call.to_number.lstrip("+") not in call.call_id


def test_every_attempt_has_a_room_of_its_own() -> None:
    """A second attempt never walks into the first one's room."""
    assert room_name("outbound-x", 1) != room_name("outbound-x", 2)


def test_times_keep_their_zone() -> None:
    """A time is never read as local time by accident."""
    for item in fields(Call):
        value = getattr(EVERY_FIELD_SET, item.name)
        if isinstance(value, datetime):
            assert value.tzinfo is UTC
            assert str(EVERY_FIELD_SET.to_json()[item.name]).endswith("+00:00")
