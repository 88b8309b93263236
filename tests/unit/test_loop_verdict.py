"""What `doctor --loop` says to each way a looped call can go, and whom it may ring."""

from pathlib import Path
from typing import Any

import pytest

from config import Settings, policy
from modules.call_queue_manager import Worker
from modules.calls.errors import InvalidField
from modules.calls.gate import destination
from modules.doctor.loop import Way, no_two_agents, way_over, way_round
from modules.doctor.loop_call import End, Looped, the_other_end
from modules.doctor.loop_verdict import lines, removed
from modules.sip_management.trunk_book import TrunkBook
from modules.sip_management.trunks import LOOP, LOOP_FROM, TrunksUnusable, configured, looped
from tests.unit.test_loop_figures import a_call

pytestmark = pytest.mark.unit

ROUND = Way(LOOP, "+12025550190", "loop_answerer", LOOP_FROM)
OWN = Way("default", "+12025550140", "library", "+12025550177", own=True)


def record(**more: Any) -> dict[str, Any]:
    return {
        "outcome": "completed", "reason": "The callee hung up.", "next_step": "", "answered_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 20.0, "call_id": "outbound-1", "from_number": LOOP_FROM,
    } | more  # fmt: skip


def judged(looped: Looped, settings: Settings, way: Way = ROUND) -> dict[str, tuple[str, str, str]]:
    return {line.name: (line.finding.colour.value, line.finding.why, line.finding.fix) for line in lines(looped, way, settings)}


def both(there_s: float = 0.1, **more: Any) -> Looped:
    caller, callee = a_call(there_s, 0.1)
    return Looped(End(record(**more), caller), End(record(), callee))


def test_a_good_line_is_green_in_both_directions(settings: Settings) -> None:
    """Four lines, each with its figures, and nothing to do."""
    found = judged(both(), settings)
    assert {name: colour for name, (colour, _, _) in found.items()} == dict.fromkeys(
        ("loop_call", "loop_there", "loop_back", "loop_round_trip"), "green"
    )
    assert found["loop_there"][1].startswith("15 of 15 words understood. First after 2.1 s, longest silence there ")
    assert found["loop_round_trip"][1].startswith("0.2 s")
    assert not any(fix for _, _, fix in found.values())


def test_one_way_sound_is_red_in_that_direction_only(settings: Settings) -> None:
    """The caller is heard, the callee is not: the line tells which way to look."""
    whole = both()
    deaf = [turn for turn in whole.went_out.turns if turn["speaker"] == "agent"]
    assert whole.came_in
    found = judged(Looped(End(whole.went_out.record, deaf), whole.came_in), settings)
    assert (found["loop_there"][0], found["loop_back"][0]) == ("green", "red")
    assert "UDP" in found["loop_back"][2]
    assert found["loop_round_trip"][0] == "not proven"


def test_words_that_get_lost_are_amber(settings: Settings) -> None:
    """Something was heard and not understood: sound is missing."""
    whole = both()
    assert whole.came_in
    noise = [dict(turn) | ({"text": "ah"} if turn["speaker"] == "callee" else {}) for turn in whole.came_in.turns]
    assert judged(Looped(whole.went_out, End(record(), noise)), settings)["loop_there"][0] == "amber"


def test_a_way_that_takes_long_is_amber(settings: Settings) -> None:
    """Beyond what a telephone network may take, people talk over each other."""
    assert judged(both(there_s=1.0), settings)["loop_round_trip"][0] == "amber"


def test_a_call_that_did_not_come_in_is_red_with_the_calls_own_advice(settings: Settings) -> None:
    """What the call's record says about its end is what I read, and what to do is its next step."""
    failed = record(outcome="no_answer", reason="Nobody picked up in time.", answered_at=None, next_step="Look at the trunk.")
    colour, why, fix = judged(Looped(End(failed), None), settings)["loop_call"]
    assert (colour, fix) == ("red", "Look at the trunk.") and "Nobody picked up in time." in why
    assert len(judged(Looped(End(failed), None), settings)) == 1


def test_an_agent_that_broke_down_is_red_at_its_end(settings: Settings) -> None:
    """It rang and was answered, and the called end failed: the line says where."""
    whole = both()
    assert whole.came_in
    broken = End(record(outcome="agent_failed", reason="No voice."), whole.came_in.turns)
    colour, why, _ = judged(Looped(whole.went_out, broken), settings)["loop_call"]
    assert colour == "red" and "called end" in why and "No voice." in why


def test_behind_a_public_address_silence_proves_nothing(settings: Settings) -> None:
    """livekit-sip tells the world another address; that this machine cannot reach it says nothing about carriers."""
    public = settings.model_copy(update={"sip_use_external_ip": True})
    assert judged(Looped(End(record(outcome="no_answer", answered_at=None)), None), public)["loop_call"][0] == "not proven"


def test_over_a_carrier_any_speech_counts(settings: Settings) -> None:
    """My own personality may speak German: what arrived counts, not what our caller understood of it."""
    whole = both()
    assert whole.came_in
    noise = [dict(turn) | ({"text": "ah"} if turn["speaker"] == "callee" else {}) for turn in whole.came_in.turns]
    found = judged(Looped(whole.went_out, End(record(), noise)), settings, OWN)
    assert found["loop_there"][:2] == ("green", "Speech arrived 3 time(s). First after 2.1 s, longest silence there 1.2 s.")


def test_what_is_left_behind_is_told() -> None:
    """Green where all is gone, else what is still there."""
    assert removed("").finding.colour.value == "green"
    assert (removed("it is still stored").finding.colour.value, removed("it is still stored").finding.why) == (
        "amber", "it is still stored",
    )  # fmt: skip


def test_which_call_came_in_is_never_guessed() -> None:
    """By the caller's number; where a carrier changed that, only a single call can be ours."""
    ours, other = record(call_id="a"), record(call_id="b", from_number="+12025550123")
    assert the_other_end([other, ours], ROUND) is ours
    assert the_other_end([other], ROUND) is other
    assert the_other_end([other, record(call_id="c", from_number="")], ROUND) is None
    assert the_other_end([], ROUND) is None


def test_two_agents_must_be_free() -> None:
    """One calls, one answers. No worker at all is bad; a fleet that is full or small is not, and proves nothing."""
    assert no_two_agents([Worker("a", 1, 0), Worker("b", 1, 0)], most=10) is None
    assert (one := no_two_agents([Worker("a", 2, 1)], most=10)) and one.colour.value == "not proven"
    assert (small := no_two_agents([Worker("a", 8, 0)], most=1)) and small.colour.value == "not proven"
    assert (none := no_two_agents([Worker("a", 0, 0)], most=10)) and none.colour.value == "red"


def test_a_call_to_myself_is_never_longer_than_calls_may_be(settings: Settings) -> None:
    """A minute, or MAX_CALL_S where that is less: a longer one would be refused."""
    assert way_round(settings).body()["max_call_s"] == 60
    assert way_round(settings.model_copy(update={"max_call_s": 30})).body()["max_call_s"] == 30


@pytest.mark.parametrize("countries", ["US", "DE", "AT,CH", "GB,FR"])
def test_the_looped_number_is_one_that_may_be_dialled(settings: Settings, countries: str) -> None:
    """The gate is asked like for any call, so the number is of a country it allows."""
    mine = settings.model_copy(update={"allowed_countries": frozenset(countries.split(","))})
    assert destination(way_round(mine).number, policy(mine)) is None


def test_the_looped_trunk_leads_to_livekit_sip_itself_and_nowhere_else(settings: Settings) -> None:
    """Whatever carriers are configured; and it is no trunk that a call gets by default, or that is listed."""
    mine = settings.model_copy(update={"sip_trunk_hostname": "me.pstn.twilio.com", "sip_port": 5070})
    trunk = looped(mine)
    assert (trunk.hostname, trunk.stored_id, trunk.sip_api_url) == ("127.0.0.1:5070", "", mine.http_url)
    assert TrunkBook(mine).of_call(LOOP) == trunk
    assert LOOP not in configured(mine)


def test_the_looped_trunks_name_is_taken(settings: Settings, tmp_path: Path) -> None:
    """A trunk of mine by that name would make a call to myself a call to my carrier."""
    (tmp_path / "trunks.yaml").write_text(f"trunks: {{{LOOP}: {{hostname: sip.telnyx.com}}}}")
    with pytest.raises(TrunksUnusable, match="doctor --loop made this trunk already; rename yours"):
        configured(settings.model_copy(update={"sip_trunks_file": tmp_path / "trunks.yaml"}))


@pytest.mark.parametrize(
    ("trunk", "number"), [("simulated", "+12025550140"), ("nowhere", "+12025550140"), ("default", "+493012345678")]
)
def test_nobody_else_is_rung(settings: Settings, trunk: str, number: str) -> None:
    """A carrier is used only towards a number that a personality of mine answers."""
    mine = settings.model_copy(update={"sip_trunk_hostname": "me.pstn.twilio.com", "sip_api_url": "http://127.0.0.1:7890"})
    with pytest.raises(InvalidField):
        way_over(mine, {"+12025550140": "library"}, trunk, number)
    way = way_over(mine, {"+12025550140": "library"}, "default", "+12025550140")
    assert (way.trunk, way.answerer, way.own) == ("default", "library", True)
