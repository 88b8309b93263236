"""May this number be dialled now? Every refusal has a name, every 'not yet' a time, and no number costs a fortune."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from modules.calls.gate import Allowed, NotBefore, Policy, Refusal, decide, destination
from tests.phone_calls import NOON, a_call

pytestmark = pytest.mark.unit

ANY_TIME = Policy(frozenset({"US", "CA", "DE", "GB"}))
BY_DAY = Policy(frozenset({"US", "CA", "DE", "GB"}), (time(8), time(21)))
NEW_YORK, LOS_ANGELES, BERLIN = "+12125550100", "+13105550100", "+4930901820"


@pytest.mark.parametrize(
    "number", ["+12025550100", "+14165550100", "+4930901820", "+4915112345678", "+442079460000", "+447400123456"]
)
def test_ordinary_numbers_in_allowed_countries_are_dialled(number: str) -> None:
    """I can call people in the countries I allowed."""
    assert decide(a_call(to_number=number), ANY_TIME, NOON) == Allowed()


def test_who_asked_not_to_be_called_is_not_called() -> None:
    """Whatever else holds, and however urgent it is; but a number that may never be dialled is told as such."""
    refused = decide(a_call(), ANY_TIME, NOON, do_not_call=True)
    assert isinstance(refused, Refusal) and refused.name == "do_not_call"
    assert decide(a_call(), ANY_TIME, NOON, do_not_call=True, paused=True) == refused
    costly = decide(a_call(to_number="+19005550100"), ANY_TIME, NOON, do_not_call=True)
    assert isinstance(costly, Refusal) and costly.name == "number_kind_refused"


@pytest.mark.parametrize(("number", "name"), [
    ("+19005550100", "number_kind_refused"),      # premium rate, US
    ("+499001234567", "number_kind_refused"),     # premium rate, DE
    ("+449012345678", "number_kind_refused"),     # premium rate, GB
    ("+448450123456", "number_kind_refused"),     # GB, billed above its country
    ("+491805123456", "number_kind_refused"),     # shared cost, DE
    ("+447012345678", "number_kind_refused"),     # personal number, GB: the most abused range of all
    ("+15005550100", "number_kind_refused"),      # personal number, US
    ("+443457404404", "number_kind_refused"),     # company-wide number, GB
    ("+12129765100", "number_kind_refused"),      # the 976 exchange: premium, though it looks like New York
    ("+16005550100", "number_kind_refused"),      # Canada's satellite and special services
    ("+881612345678", "destination_not_geographic"),   # satellite
    ("+870773111632", "destination_not_geographic"),   # Inmarsat
    ("+88299123456", "destination_not_geographic"),    # worldwide networks
    ("+883510012345678", "destination_not_geographic"),
    ("+878101234567890", "destination_not_geographic"),
    ("+979123456789", "destination_not_geographic"),   # worldwide premium
    ("+80812345678", "destination_not_geographic"),    # worldwide shared cost
    ("+80012345678", "destination_not_geographic"),    # worldwide freephone
    ("+18765290123", "country_not_allowed"),      # Jamaica: +1, and not the US
    ("+18095550100", "country_not_allowed"),      # Dominican Republic
    ("+12682735555", "country_not_allowed"),      # Antigua
    ("+447624123456", "country_not_allowed"),     # Isle of Man: +44, and not GB
    ("+441534123456", "country_not_allowed"),     # Jersey
    ("+33142685300", "country_not_allowed"),
    ("+5312345678", "country_not_allowed"),
])  # fmt: skip
def test_costly_and_unlisted_destinations_are_refused(number: str, name: str) -> None:
    """Nobody can run up my bill by giving my agent an expensive number."""
    refusal = destination(number, ANY_TIME)
    assert isinstance(refusal, Refusal)
    assert refusal.name == name
    assert decide(a_call(to_number=number), ANY_TIME, NOON) == refusal


def test_a_country_that_is_not_allowed_is_named_with_the_setting_to_change() -> None:
    """The refusal tells me what to write where."""
    refusal = destination("+33142685300", ANY_TIME)
    assert refusal is not None
    assert "FR" in refusal.reason
    assert "ALLOWED_COUNTRIES" in refusal.reason


def test_a_caribbean_country_is_dialled_once_it_is_listed() -> None:
    """What is refused by default can be allowed by name."""
    assert destination("+18765290123", Policy(frozenset({"JM"}))) is None


def test_with_no_country_allowed_nothing_is_dialled() -> None:
    """An empty list allows nothing, not everything."""
    assert destination("+12025550100", Policy(frozenset())) is not None


def test_a_number_that_belongs_nowhere_is_refused() -> None:
    """Even if a wrong number came past the door, the gate would stop it."""
    assert destination("+12025550100555", ANY_TIME) is not None


def test_toll_free_numbers_are_dialled() -> None:
    """Calling a company's freephone number is an ordinary call."""
    assert decide(a_call(to_number="+18003569377"), ANY_TIME, NOON) == Allowed()


def test_a_toll_free_number_has_no_place_so_every_zone_of_its_plan_must_be_awake() -> None:
    """With calling hours, a number that could ring anywhere is dialled only when it is day everywhere there."""
    answer = decide(a_call(to_number="+18003569377"), BY_DAY, datetime(2026, 11, 21, 4, tzinfo=UTC))
    assert not isinstance(answer, Allowed)


def test_an_expired_call_is_refused_from_its_last_moment_on() -> None:
    """A call that is too late is not made, not even by a second."""
    call = a_call()
    assert decide(call, ANY_TIME, call.expires_at - timedelta(seconds=1)) == Allowed()
    refused = decide(call, ANY_TIME, call.expires_at)
    assert isinstance(refused, Refusal)
    assert refused.name == "expired"


def test_a_scheduled_call_waits_for_its_time() -> None:
    """Not before means not before."""
    at = NOON + timedelta(hours=1)
    call = a_call(not_before=at)
    assert decide(call, ANY_TIME, NOON) == NotBefore(at, "The call is scheduled for later.")
    assert decide(call, ANY_TIME, at) == Allowed()


def test_while_dialling_is_paused_calls_wait_and_are_asked_for_again() -> None:
    """The stop switch holds everything back and refuses nothing."""
    answer = decide(a_call(), ANY_TIME, NOON, paused=True)
    assert isinstance(answer, NotBefore)
    assert answer.at > NOON


def test_a_forbidden_number_is_refused_even_while_paused_or_scheduled() -> None:
    """What may never be dialled is refused at once, not after waiting for its time."""
    call = a_call(to_number="+19005550100", not_before=NOON + timedelta(hours=5))
    assert isinstance(decide(call, ANY_TIME, NOON, paused=True), Refusal)


def opening(number: str, now: datetime, policy: Policy = BY_DAY) -> datetime:
    """Return when the number may be dialled, asked at `now`."""
    answer = decide(a_call(now, to_number=number, expires_at=now + timedelta(days=3)), policy, now)
    assert not isinstance(answer, Refusal), answer
    return answer.at if isinstance(answer, NotBefore) else now


def local(zone: str, *moment: int) -> datetime:
    """Return a local time as UTC."""
    return datetime(*moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]  # year, month, day, …


@pytest.mark.parametrize(("number", "zone", "asked", "opens"), [
    (NEW_YORK, "America/New_York", (2026, 11, 20, 7, 59), (2026, 11, 20, 8, 0)),
    (NEW_YORK, "America/New_York", (2026, 11, 20, 8, 0), (2026, 11, 20, 8, 0)),
    (NEW_YORK, "America/New_York", (2026, 11, 20, 20, 59), (2026, 11, 20, 20, 59)),
    (NEW_YORK, "America/New_York", (2026, 11, 20, 21, 0), (2026, 11, 21, 8, 0)),
    (LOS_ANGELES, "America/Los_Angeles", (2026, 11, 20, 5, 0), (2026, 11, 20, 8, 0)),
    (BERLIN, "Europe/Berlin", (2026, 11, 20, 23, 30), (2026, 11, 21, 8, 0)),
    (NEW_YORK, "America/New_York", (2026, 10, 31, 22, 0), (2026, 11, 1, 8, 0)),   # the clocks go back in this night
    (NEW_YORK, "America/New_York", (2026, 3, 7, 22, 0), (2026, 3, 8, 8, 0)),      # and forward in this one
    (BERLIN, "Europe/Berlin", (2026, 10, 24, 22, 0), (2026, 10, 25, 8, 0)),
    (BERLIN, "Europe/Berlin", (2026, 3, 28, 22, 0), (2026, 3, 29, 8, 0)),
    ("+97714123456", "Asia/Kathmandu", (2026, 11, 20, 6, 0), (2026, 11, 20, 8, 0)),   # a zone of quarter hours
])  # fmt: skip
def test_calling_hours_are_those_of_the_callees_own_clock(
    number: str, zone: str, asked: tuple[int, ...], opens: tuple[int, ...]
) -> None:
    """Nobody is rung at night, also not in the nights when clocks change."""
    policy = Policy(BY_DAY.countries | {"NP"}, BY_DAY.calling_hours)
    assert opening(number, local(zone, *asked), policy) == local(zone, *opens)


def test_the_same_moment_is_day_for_one_callee_and_night_for_another() -> None:
    """At noon in Berlin nobody in Los Angeles is rung."""
    noon = local("Europe/Berlin", 2026, 11, 20, 12, 0)
    assert opening(BERLIN, noon) == noon
    assert opening(LOS_ANGELES, noon) == local("America/Los_Angeles", 2026, 11, 20, 8, 0)


def test_a_number_that_may_be_in_two_zones_waits_until_both_are_awake() -> None:
    """Where the plan does not say on which side of a zone border somebody lives, the stricter clock counts."""
    tennessee = "+16155550100"  # area code 615: Central only; 423 lies in both Eastern and Central
    both = "+14235550100"
    asked = local("America/New_York", 2026, 11, 20, 6, 0)
    assert opening(tennessee, asked) == local("America/Chicago", 2026, 11, 20, 8, 0)
    assert opening(both, asked) >= local("America/New_York", 2026, 11, 20, 8, 0)


def test_a_call_that_would_expire_before_the_window_opens_is_refused_now() -> None:
    """I am told at once that tonight's call cannot be made tonight."""
    night = local("America/New_York", 2026, 11, 20, 23, 0)
    refused = decide(a_call(night, to_number=NEW_YORK, expires_at=night + timedelta(hours=2)), BY_DAY, night)
    assert isinstance(refused, Refusal)
    assert refused.name == "calling_hours"


def test_without_calling_hours_any_time_is_fine() -> None:
    """Calling hours are mine to set; none are assumed."""
    assert decide(a_call(to_number=NEW_YORK), ANY_TIME, local("America/New_York", 2026, 11, 20, 3, 0)) == Allowed()


def test_a_refusal_is_for_programs_and_for_people() -> None:
    """Every refusal has a stable name and a sentence."""
    late = NOON + timedelta(days=2)
    refusals = [destination(number, ANY_TIME) for number in ("+19005550100", "+881612345678", "+33142685300")]
    for refusal in [*refusals, decide(a_call(), ANY_TIME, late)]:
        assert isinstance(refusal, Refusal)
        assert refusal.name.replace("_", "").isalpha()
        assert refusal.reason.endswith(".")
