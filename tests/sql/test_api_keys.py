"""Keys of the API: shown once, kept as hashes, closed for good."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from modules.call_history import ApiKeys, History, Scope
from modules.call_history.tables import metadata
from modules.calls.errors import InvalidField, NotFound

pytestmark = pytest.mark.sql
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def keys(history: History) -> ApiKeys:
    return ApiKeys(history)


async def test_a_new_key_opens_what_it_was_made_for(keys: ApiKeys) -> None:
    """The key I was shown is recognised, with its name and scopes."""
    plain, made = await keys.create("billing", [Scope.CALLS_READ, Scope.CALLS_WRITE], NOW)
    found = await keys.verify(plain, NOW)
    assert found == made
    assert found is not None and found.scopes == {"calls:read", "calls:write"} and found.name == "billing"


async def test_a_dump_of_the_database_holds_no_key(keys: ApiKeys, history: History) -> None:
    """Whoever steals the database cannot call the API."""
    plain, _ = await keys.create("billing", [Scope.ADMIN], NOW)
    other, _ = await keys.create("sales", [Scope.ADMIN], NOW)
    await keys.verify(plain, NOW)
    async with history.read() as connection:
        dump = "".join([str((await connection.execute(select(table))).all()) for table in metadata.sorted_tables])
    assert "billing" in dump and "sales" in dump
    for secret in (plain, plain.split("_", 2)[2], other.split("_", 2)[2]):
        assert secret not in dump


@pytest.mark.parametrize("spoil", ["", "x", "vf_", "é", "\x00", "vf_00000000_" + "a" * 43, "vf_00000000_" + "a" * 100_000])
async def test_what_is_no_key_opens_nothing(keys: ApiKeys, spoil: str) -> None:
    """Anything but the exact key is refused, without an error."""
    plain, made = await keys.create("billing", [Scope.ADMIN], NOW)
    for presented in (spoil, plain + spoil if spoil else plain[:-1], made.prefix, f" {plain}", plain.upper()):
        assert await keys.verify(presented, NOW) is None


async def test_a_right_prefix_with_a_wrong_secret_opens_nothing(keys: ApiKeys) -> None:
    """The prefix I see in the list is no key."""
    plain, made = await keys.create("billing", [Scope.ADMIN], NOW)
    other, _ = await keys.create("sales", [Scope.ADMIN], NOW)
    assert await keys.verify(f"{made.prefix}_{other.split('_', 2)[2]}", NOW) is None


async def test_an_expired_key_opens_nothing(keys: ApiKeys) -> None:
    """A key stops at the moment I gave it."""
    plain, _ = await keys.create("visitor", [Scope.CALLS_READ], NOW, expires_at=NOW + timedelta(hours=1))
    assert await keys.verify(plain, NOW + timedelta(minutes=59)) is not None
    assert await keys.verify(plain, NOW + timedelta(hours=1)) is None


async def test_a_revoked_key_opens_nothing_and_stays_in_the_list(keys: ApiKeys) -> None:
    """A key I revoked is closed at once, and I still see that it was there and since when it is closed."""
    plain, made = await keys.create("billing", [Scope.ADMIN], NOW)
    await keys.revoke(made.id, NOW + timedelta(minutes=1))
    again = await keys.revoke(made.id, NOW + timedelta(minutes=2))
    assert again.revoked_at == NOW + timedelta(minutes=1)
    assert await keys.verify(plain, NOW + timedelta(minutes=2)) is None
    assert [key.revoked_at for key in await keys.listed()] == [again.revoked_at]


async def test_the_list_says_when_a_key_was_last_used(keys: ApiKeys) -> None:
    """I can see which keys are in use, to the minute."""
    plain, made = await keys.create("billing", [Scope.ADMIN], NOW)
    assert (await keys.by_id(made.id)).last_used_at is None
    await keys.verify(plain, NOW)
    await keys.verify(plain, NOW + timedelta(seconds=30))
    assert (await keys.by_id(made.id)).last_used_at == NOW
    await keys.verify(plain, NOW + timedelta(seconds=61))
    assert (await keys.by_id(made.id)).last_used_at == NOW + timedelta(seconds=61)


async def test_an_unknown_key_cannot_be_revoked(keys: ApiKeys) -> None:
    """Revoking a key that does not exist tells me so."""
    with pytest.raises(NotFound):
        await keys.revoke("key_00000000", NOW)


async def test_a_key_that_makes_no_sense_is_not_made(keys: ApiKeys) -> None:
    """A key without a name, without a scope, or expired before it was made is refused with the field's name."""
    for field, made in {
        "name": keys.create("  ", [Scope.ADMIN], NOW),
        "scopes": keys.create("billing", [], NOW),
        "expires_at": keys.create("billing", [Scope.ADMIN], NOW, expires_at=NOW),
    }.items():
        with pytest.raises(InvalidField) as refused:
            await made
        assert refused.value.field == field
    assert await keys.listed() == ()
