"""What is stored about the phone side, broken in every way people break it: the doctor names it in one line."""

from pathlib import Path
from typing import Any, cast

import pytest
from livekit import api

from config import Settings
from modules.doctor import Colour, Subject
from modules.doctor.stored import (
    Judge,
    Stored,
    closed_to_scanners,
    inbound_numbers_exact,
    no_duplicates,
    no_password_inbound,
    rules_name_trunks,
)

pytestmark = pytest.mark.unit

MINE = "+12025550100"


def trunk(**changes: Any) -> api.SIPInboundTrunkInfo:
    well = {"sip_trunk_id": "ST_in", "name": "voicefleet/in", "numbers": [MINE], "allowed_addresses": ["54.172.60.0/30"]}
    return api.SIPInboundTrunkInfo(**(well | changes))


def rule(**changes: Any) -> api.SIPDispatchRuleInfo:
    return api.SIPDispatchRuleInfo(
        **({"sip_dispatch_rule_id": "SDR_1", "name": "voicefleet/rule", "trunk_ids": ["ST_in"]} | changes)
    )


WELL = Stored((trunk(),), (), (rule(),))


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    settings = Settings(livekit_api_key="key-of-this-test", livekit_api_secret="x" * 40, sip_from_number=MINE)  # type: ignore[arg-type]
    nothing = cast(Any, None)  # what is stored is given to these judgements; they ask nobody
    return Subject(settings=settings, folder=tmp_path, lkapi=nothing, http=nothing, workers=nothing)


BROKEN: dict[str, tuple[Judge, Stored, Colour, str]] = {
    "password": (no_password_inbound, Stored((trunk(auth_username="twilio"),)), Colour.RED, "wants a user and password"),
    "not E.164": (inbound_numbers_exact, Stored((trunk(numbers=["2025550100"]),)), Colour.RED, "not E.164"),
    "other number": (
        inbound_numbers_exact,
        Stored((trunk(numbers=["+12025550177"]),)),
        Colour.AMBER,
        "calls back reaches nobody",
    ),
    "rule without trunk": (
        closed_to_scanners,
        Stored((trunk(),), (), (rule(trunk_ids=[]),)),
        Colour.RED,
        "anybody on the internet",
    ),
    "any address": (closed_to_scanners, Stored((trunk(allowed_addresses=[]),), (), (rule(),)), Colour.RED, "from any address"),
    "all addresses": (closed_to_scanners, Stored((trunk(allowed_addresses=["0.0.0.0/0"]),)), Colour.RED, "from any address"),
    "gone trunk": (rules_name_trunks, Stored((trunk(),), (), (rule(trunk_ids=["ST_gone"]),)), Colour.RED, "ST_gone"),
    "caller filter": (
        rules_name_trunks,
        Stored((trunk(),), (), (rule(inbound_numbers=[MINE]),)),
        Colour.RED,
        "nobody in but ourselves",
    ),
    "no rule": (rules_name_trunks, Stored((trunk(),)), Colour.RED, "endless ringing"),
    "twice": (no_duplicates, Stored((trunk(), trunk(sip_trunk_id="ST_b", numbers=["+12025550101"]))), Colour.RED, "2 times"),
    "one number twice": (no_duplicates, Stored((trunk(), trunk(name="other"))), Colour.RED, "claim one number"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_named_with_a_fix(subject: Subject, broken: str) -> None:
    """One line why, one line what to do."""
    judge, stored, colour, why = BROKEN[broken]
    found = judge(stored, subject)
    assert (found.colour, bool(found.fix)) == (colour, True)
    assert why in found.why
    assert MINE not in found.why + found.fix


@pytest.mark.parametrize("judge", [judge for judge, *_ in BROKEN.values()])
def test_what_is_well_is_green(subject: Subject, judge: Judge) -> None:
    """No false alarm."""
    assert judge(WELL, subject).colour is Colour.GREEN


def test_a_sip_service_that_answers_scanners_is_told(subject: Subject) -> None:
    """hide_inbound_port was forgotten in the compose file."""
    config = "services: {sip-server: {environment: {SIP_CONFIG_BODY: 'sip_port: 5060'}}}"
    (subject.folder / "docker-compose.yaml").write_text(config)
    found = closed_to_scanners(WELL, subject)
    assert (found.colour, found.fix) == (Colour.AMBER, "Set hide_inbound_port: true in SIP_CONFIG_BODY.")
