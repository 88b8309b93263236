"""Who answers a call that came in, when, and what is known of the caller."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from config import Settings
from modules.call_queue_manager import Admission
from modules.calls import arriving
from modules.calls.job import CallJob, InboundJob, read_job
from modules.conversation.contacts import name_of
from modules.conversation.inbound_route import answering
from modules.conversation.personalities import Personalities
from modules.conversation.personality import Personality
from modules.conversation.service_hours import ServiceHours
from modules.conversation.turned_away import turned_away
from modules.setup.places import PROJECT
from modules.sip_management.phone import Phone

pytestmark = pytest.mark.unit

OURS, CLAIMED, NOBODYS = "+12025550199", "+12025550140", "+12025550141"
FRIDAY = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)
DESK = """
name: Desk
components:
  stt: {provider: local}
  llm: {provider: local, script: short_notice}
  tts: {provider: local}
greeting: "Hello, I am an AI assistant. {% if contact_name %}Is this {{ contact_name }} at {{ caller_number }}?{% endif %}"
"""


@pytest.fixture
def desks(tmp_path: Path) -> Personalities:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "desk.yaml").write_text(f'{DESK}inbound_numbers: ["{CLAIMED}"]\n')
    (folder / "office.yaml").write_text(DESK)
    return Personalities(folder, PROJECT / "prompts")


def phone(called: str) -> Phone:
    return Phone("sip_x", "+12025550111", called, "SCL_x", simulated=True)


@pytest.mark.parametrize(
    ("told", "called", "answers"),
    [
        ("office", CLAIMED, "office"),
        ("", CLAIMED, "desk"),
        ("no_such_thing", CLAIMED, "desk"),
        ("", OURS, "office"),
        ("", "", "office"),
        ("", NOBODYS, ""),
    ],
    ids=["the rule says who", "the number", "a rule with a typing error", "the number we call from", "hidden", "nobody's"],
)
def test_who_answers(desks: Personalities, settings: Settings, told: str, called: str, answers: str) -> None:
    """The dispatch rule goes first, then the number, then the default; a number that nobody claims is nobody's."""
    ours = settings.model_copy(update={"sip_from_number": OURS, "default_personality": "office"})
    job = InboundJob(direction="inbound", personality=told)
    assert answering(job, phone(called), desks, ours) == answers


def test_the_metadata_of_a_rule_and_of_a_call_are_told_apart() -> None:
    """A worker is sent for a call we place, or into the room of one that came in."""
    assert read_job('{"direction": "inbound"}') == InboundJob(direction="inbound")
    call = CallJob(call_id="outbound-1", attempt=1, token=2)
    assert read_job(call.model_dump_json()) == call
    with pytest.raises(ValueError, match="call_id"):
        read_job('{"direction": "sideways"}')


@pytest.mark.parametrize(
    ("moment", "open_then"),
    [
        ("2026-11-20T15:59:00+00:00", True),
        ("2026-11-20T16:00:00+00:00", False),
        ("2026-11-20T07:59:59+00:00", False),
        ("2026-11-20T08:00:00+00:00", True),
        ("2026-11-21T10:00:00+00:00", False),
        ("2026-11-22T22:59:00+00:00", True),
        ("2026-11-22T23:00:00+00:00", False),
        ("2026-07-17T15:30:00+00:00", False),
    ],
    ids=["last minute", "closed", "not yet", "opens", "saturday", "end of sunday", "monday night", "summer time"],
)
def test_hours_of_service(moment: str, open_then: bool) -> None:
    """Nine to five in Berlin is nine to five there, in winter and in summer."""
    week = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}
    sunday = {"days": ["sun"], "opens": "22:00", "closes": "24:00"}
    hours = ServiceHours.model_validate({"zone": "Europe/Berlin", "open": [week, sunday]})
    assert hours.cover(datetime.fromisoformat(moment)) is open_then


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Berlin", "open": [{"days": ["mon"], "opens": "09:00", "closes": "17:00"}]},
        {"zone": "Europe/Berlin", "open": [{"days": ["mon"], "opens": "22:00", "closes": "06:00"}]},
        {"zone": "Europe/Berlin", "open": [{"days": ["monday"], "opens": "09:00", "closes": "17:00"}]},
        {"zone": "Europe/Berlin", "open": [{"days": ["mon"], "opens": "9", "closes": "17:00"}]},
        {"zone": "Europe/Berlin", "open": []},
    ],
    ids=["no zone", "over midnight", "no day", "no time", "never"],
)
def test_hours_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    """A mistake is told when the file is read, not when somebody calls."""
    with pytest.raises(ValidationError):
        ServiceHours.model_validate(wrong)


def test_why_somebody_is_not_put_through(desks: Personalities) -> None:
    """One reason each, the first that holds; only who calls without end hears nothing."""
    speaks = desks.load("desk").content
    asleep = speaks.model_copy(update={"hours": ServiceHours.model_validate(
        {"zone": "Etc/UTC", "open": [{"days": ["mon"], "opens": "09:00", "closes": "17:00"}]}
    )})  # fmt: skip
    call, nobodys = (arriving(FRIDAY, personality=name, room="r") for name in ("desk", ""))
    cases = [
        (Admission.WELCOME, speaks, None),
        (Admission.FULL, speaks, "full_house"),
        (Admission.TOO_OFTEN, speaks, "source_limit"),
        (Admission.WELCOME, asleep, "closed"),
        (Admission.FULL, asleep, "closed"),
    ]
    for admission, personality, reason in cases:
        away = turned_away(admission, call, personality, FRIDAY)
        assert (away.reason.partition(":")[0] if away else None) == reason
        assert away is None or bool(away.sentence) == (admission is not Admission.TOO_OFTEN)
    unknown = turned_away(Admission.WELCOME, nobodys, speaks, FRIDAY)
    assert unknown and unknown.reason.startswith("unknown_number")


@pytest.mark.parametrize(
    ("overflow", "admission", "asleep", "instead"),
    [
        ("take_message", Admission.OVERFLOW, False, "take_message"),
        ("take_message", Admission.FULL, False, ""),
        ("take_message", Admission.WELCOME, True, "take_message"),
        ("take_message", Admission.OVERFLOW, True, "take_message"),
        ("take_message", Admission.FULL, True, ""),
        ("take_message", Admission.TOO_OFTEN, True, ""),
        ({"full_house": "reception", "closed": "take_message"}, Admission.OVERFLOW, False, "reception"),
        ({"full_house": "reception", "closed": "take_message"}, Admission.OVERFLOW, True, "take_message"),
        ({"full_house": "reception"}, Admission.WELCOME, True, ""),
    ],
)
def test_what_a_caller_gets_instead(
    desks: Personalities, overflow: object, admission: Admission, asleep: bool, instead: str
) -> None:
    """A message or another phone where the personality says so and there is a line for it; else the sentence, as ever."""
    night: dict[str, object] = {"hours": {"zone": "Etc/UTC", "open": [{"days": ["mon"], "opens": "09:00", "closes": "17:00"}]}}
    more: dict[str, object] = {"overflow": overflow, "transfer": {"reception": "+12025550111"}, "tools": ["transfer"]}
    told = desks.load("desk").content.model_dump() | more | (night if asleep else {})
    speaks = Personality.model_validate(told)
    away = turned_away(admission, arriving(FRIDAY, personality="desk", room="r"), speaks, FRIDAY)
    assert away and away.instead == instead
    usual = speaks.sentences.closed if asleep else speaks.sentences.busy
    first = {"take_message": speaks.sentences.take_message, "reception": speaks.transfer["reception"].announcement}
    if admission is not Admission.TOO_OFTEN:
        assert away.sentences(speaks)[0] == first.get(instead, usual)
        assert (usual in away.sentences(speaks)) == (instead != "take_message")


def test_known_callers_have_names(tmp_path: Path) -> None:
    """Maria is known by her number; a stranger, a hidden number and a missing file know nobody."""
    file = tmp_path / "contacts.yaml"
    assert name_of("+12025550111", file) == ""
    file.write_text('contacts:\n  - {number: "+12025550111", name: Maria Lopez}\n')
    assert [name_of(number, file) for number in ("+12025550111", "+12025550112", "")] == ["Maria Lopez", "", ""]


def test_a_broken_file_of_contacts_stops_no_call(tmp_path: Path) -> None:
    """I mistyped the file: callers are strangers until I have corrected it."""
    file = tmp_path / "contacts.yaml"
    file.write_text("contacts:\n  - {number: 12025550111, name: Maria Lopez}\n")
    assert name_of("+12025550111", file) == ""
