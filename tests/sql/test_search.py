"""Finding calls again: by filter, by word, page by page."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from modules.call_history import Filters, Page, Search
from modules.call_history.cursor import pack, unpack
from modules.calls import Direction, Outcome, State
from modules.calls.errors import InvalidField
from tests.sql.phones import Phones

pytestmark = pytest.mark.sql
Recorded = Callable[[], Awaitable[None]]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_filters_find_exactly_the_calls_that_match(phones: Phones, search: Search, record_all: Recorded) -> None:
    """I can narrow the list by each thing I know of a call, alone or together."""
    gym = await phones.whole("Hello.", created_at=NOON)
    busy = await phones.refused(Outcome.BUSY, 486, created_at=NOON + timedelta(hours=1), to_number="+12025550111")
    clinic = await phones.whole(
        "Hello.", created_at=NOON + timedelta(hours=2), personality="clinic", trunk="default", simulated=False
    )
    waiting = await phones.ask(created_at=NOON + timedelta(hours=3))
    await record_all()

    async def found(filters: Filters) -> set[str]:
        return {call.call_id for call in (await search.page(filters)).calls}

    everything = {call.call_id for call in (gym, busy, clinic, waiting)}
    assert await found(Filters()) == everything
    assert await found(Filters(state=State.QUEUED)) == {waiting.call_id}
    assert await found(Filters(outcome=Outcome.BUSY)) == {busy.call_id}
    assert await found(Filters(to_number="+12025550111")) == {busy.call_id}
    assert await found(Filters(to_number="+1202555011")) == set()
    assert await found(Filters(personality="clinic")) == {clinic.call_id}
    assert await found(Filters(trunk="default")) == await found(Filters(simulated=False)) == {clinic.call_id}
    assert await found(Filters(direction=Direction.INBOUND)) == set()
    assert await found(Filters(created_from=NOON + timedelta(hours=1))) == everything - {gym.call_id}
    assert await found(Filters(created_before=NOON + timedelta(hours=1))) == {gym.call_id}
    assert await found(Filters(outcome=Outcome.COMPLETED, personality="gym")) == {gym.call_id}


async def test_a_moment_in_another_zone_means_the_same_moment(phones: Phones, search: Search, record_all: Recorded) -> None:
    """Whether I write a time in UTC or in my own zone, I get the same calls."""
    call = await phones.whole("Hello.", created_at=NOON)
    await record_all()
    berlin = NOON.astimezone(datetime.fromisoformat("2026-11-20T00:00:00+01:00").tzinfo)
    found = await search.page(Filters(created_from=berlin, created_before=berlin + timedelta(seconds=1)))
    assert [item.call_id for item in found.calls] == [call.call_id]


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("mat fee", True),
        ("MAT  FEE", True),
        ("größe", True),
        ("GRÖSSE", True),
        ("100%", True),
        ("o'clock", True),
        ("Ada Löwe", True),
        ("löwe", True),
        ("fee mat", False),
        ("1000%", False),
        ("%", True),
        ("m_t", False),
        ("a%a", False),
        ("\\", False),
    ],
)
async def test_a_spoken_word_finds_its_call(
    phones: Phones, search: Search, record_all: Recorded, text: str, hit: bool
) -> None:
    """I can look for words that were said, or for whom the call was, however I write them; signs mean themselves."""
    call = await phones.whole("The Mat fee is 100% extra, at 9 o'clock.", "Welche Größe?", caller_name="Ada Löwe")
    await phones.whole("Nothing of the kind.", "No.")
    await record_all()
    found = await search.page(Filters(text=text))
    assert [item.call_id for item in found.calls] == ([call.call_id] if hit else [])


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x00b"])
async def test_a_text_nobody_can_look_for_is_refused(search: Search, text: str) -> None:
    """An empty or endless search is refused with the field's name."""
    with pytest.raises(InvalidField) as refused:
        await search.page(Filters(text=text))
    assert refused.value.field == "text"


async def _pages(search: Search, limit: int, between: Callable[[], Awaitable[None]] | None = None) -> list[Page]:
    pages = [await search.page(Filters(), limit=limit)]
    while cursor := pages[-1].next_cursor:
        if between:
            await between()
        pages.append(await search.page(Filters(), limit=limit, cursor=cursor))
    return pages


async def test_pages_stay_put_while_new_calls_arrive(phones: Phones, search: Search, record_all: Recorded) -> None:
    """While I page through the list, calls that come in meanwhile neither repeat nor hide one."""
    old = [await phones.ask(created_at=NOON + timedelta(seconds=second)) for second in range(11)]
    await record_all()

    async def more() -> None:
        await phones.ask(created_at=NOON + timedelta(days=1))
        await record_all()

    pages = await _pages(search, 3, more)
    assert [call.call_id for page in pages for call in page.calls] == [call.call_id for call in reversed(old)]
    assert [len(page.calls) for page in pages] == [3, 3, 3, 2]


async def test_calls_of_the_same_moment_are_each_listed_once(phones: Phones, search: Search, record_all: Recorded) -> None:
    """Fifty calls queued in the very same microsecond come one after another, none twice."""
    made = {(await phones.ask(created_at=NOON)).call_id for _ in range(20)}
    await record_all()
    listed = [call.call_id for page in await _pages(search, 7) for call in page.calls]
    assert len(listed) == 20 and set(listed) == made


async def test_a_last_page_that_is_just_full_says_it_is_the_last(phones: Phones, search: Search, record_all: Recorded) -> None:
    """There is no empty page at the end."""
    for second in range(6):
        await phones.ask(created_at=NOON + timedelta(seconds=second))
    await record_all()
    assert [len(page.calls) for page in await _pages(search, 3)] == [3, 3]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "ä",
        "a" * 10_000,
        *(
            base64.urlsafe_b64encode(text.encode()).decode()
            for text in ("v1.12.", "v2.12.outbound-1", "v1.12.x' OR 1=1 --", "v1.99999999999999999.outbound-1", "v1.١٢.x", "\0")
        ),
        pack(NOON, "outbound-1")[:-6],
        pack(NOON, "outbound-1")[:-1] + "A",
        pack(NOON, "outbound-1") + "AAAA",
        " " + pack(NOON, "outbound-1"),
    ],
)
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    """A cursor that did not come from a page before is refused by name, whatever it holds."""
    with pytest.raises(InvalidField) as refused:
        unpack(cursor)
    assert refused.value.field == "cursor"


async def test_a_list_with_a_made_up_cursor_is_refused(search: Search) -> None:
    """A broken cursor never shows me the first page as if it were the next one."""
    for cursor in ("", "nonsense"):
        with pytest.raises(InvalidField):
            await search.page(Filters(), cursor=cursor)


def test_a_cursor_comes_back_as_it_went() -> None:
    """A cursor remembers its place to the microsecond."""
    moment = datetime(2026, 11, 21, 4, 1, 2, 345678, tzinfo=UTC)
    assert unpack(pack(moment, "outbound-20261121-040102-abc")) == (moment, "outbound-20261121-040102-abc")


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_page_has_a_size_that_makes_sense(search: Search, limit: int) -> None:
    """Asking for no calls or for too many at once is refused by name."""
    with pytest.raises(InvalidField) as refused:
        await search.page(Filters(), limit=limit)
    assert refused.value.field == "limit"
