"""./voicefleet connect twilio, as a person types it: .env is filled in where it is empty, never where it is theirs."""

from pathlib import Path

import pytest

from tests.contracts.carriers.conftest import ENV, Typist
from tests.contracts.carriers.twilio_server import TOKEN, Refusal

pytestmark = pytest.mark.unit

OURS = {"SIP_TRUNK_HOSTNAME", "SIP_AUTH_USERNAME", "SIP_AUTH_PASSWORD", "SIP_FROM_NUMBER"}


def test_one_command_fills_in_the_trunks_four_values(typist: Typist) -> None:
    """What I wrote stays as it was, the file stays mine alone, and no secret is on the screen."""
    answer = typist.types("connect", "twilio", "--name", "acme")
    assert answer.exit_code == 0, answer.output
    env = typist.env
    assert env["SIP_TRUNK_HOSTNAME"] == "acme.pstn.twilio.com"
    assert (env["SIP_AUTH_USERNAME"], env["SIP_FROM_NUMBER"]) == ("vf-acme", "+12025550199")
    assert typist.server.passwords == {"vf-acme": env["SIP_AUTH_PASSWORD"]}
    text = Path(".env").read_text()
    assert text.startswith(ENV.replace("SIP_TRUNK_HOSTNAME=\n", "SIP_TRUNK_HOSTNAME=acme.pstn.twilio.com\n"))
    assert Path(".env").stat().st_mode & 0o077 == 0
    assert str(env["SIP_AUTH_PASSWORD"]) not in answer.output and TOKEN not in answer.output
    assert "./voicefleet doctor" in answer.output


def test_a_second_run_and_the_way_back(typist: Typist) -> None:
    """Again: nothing changes. Undone: .env is as it was, without our values."""
    assert typist.told("connect", "twilio")["exit_code"] == 0
    before = Path(".env").read_text()
    again = typist.told("connect", "twilio")
    assert {step["did"] for step in again["steps"]} == {"kept"}
    assert Path(".env").read_text() == before
    undone = typist.told("disconnect", "twilio")
    assert undone["exit_code"] == 0
    assert ".env" in [step["step"] for step in undone["steps"] if step["did"] == "undone"]
    assert not any(typist.env.get(name) for name in OURS)
    assert "TWILIO_ACCOUNT_SID" in typist.env
    assert not (typist.server.trunks or typist.server.lists)
    nothing = typist.told("disconnect", "twilio")
    assert (nothing["exit_code"], nothing["steps"][0]["did"]) == (0, "kept")


def test_a_dry_run_prints_the_plan_and_changes_nothing(typist: Typist) -> None:
    """I look before I leap."""
    before = Path(".env").read_text()
    plan = typist.told("connect", "twilio", "--dry-run", "--sip-host", "sip.example.com")
    assert plan["dry_run"] is True
    assert {"trunk", "credential", "number", "origination url", ".env"} <= {
        step["step"] for step in plan["steps"] if step["did"] == "would make"
    }
    assert Path(".env").read_text() == before and not typist.server.changes
    assert "nothing was changed" in typist.types("connect", "twilio", "--dry-run").output


@pytest.mark.parametrize("where", [".env", ".env.local", "environment"])
def test_a_users_own_trunk_is_never_overwritten(typist: Typist, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """I have another carrier: its values stay, all four of ours stay out, and I am told what to do instead."""
    if where == "environment":
        monkeypatch.setenv("SIP_TRUNK_HOSTNAME", "sip.telnyx.com")
    else:
        with Path(where).open("a") as file:
            file.write("SIP_TRUNK_HOSTNAME=sip.telnyx.com\n")
    before = Path(".env").read_text()
    told = typist.told("connect", "twilio")
    last = told["steps"][-1]
    assert (last["step"], last["did"]) == (".env", "look")
    assert "SIP_TRUNK_HOSTNAME in" in last["detail"] and "remove" in last["next"]
    assert Path(".env").read_text() == before
    assert typist.told("disconnect", "twilio")["exit_code"] == 0
    assert Path(".env").read_text() == before


def test_a_value_i_changed_afterwards_is_mine(typist: Typist) -> None:
    """I edit what the command wrote: undoing leaves it."""
    typist.types("connect", "twilio", "--name", "acme")
    text = Path(".env").read_text().replace("SIP_AUTH_USERNAME=vf-acme", "SIP_AUTH_USERNAME=somebody")
    Path(".env").write_text(text)
    typist.types("disconnect", "twilio")
    assert typist.env["SIP_AUTH_USERNAME"] == "somebody"
    assert not typist.env.get("SIP_TRUNK_HOSTNAME")


def test_a_password_that_never_reached_env_is_replaced(typist: Typist) -> None:
    """My .env was in the way at first; once its lines are gone the next run brings a password that works."""
    with Path(".env").open("a") as file:
        file.write("SIP_AUTH_PASSWORD=my-own\n")
    typist.types("connect", "twilio", "--name", "acme")
    Path(".env").write_text(Path(".env").read_text().replace("SIP_AUTH_PASSWORD=my-own\n", ""))
    typist.types("connect", "twilio")
    assert typist.server.passwords == {"vf-acme": typist.env["SIP_AUTH_PASSWORD"]}


def test_a_refusal_says_whose_fault_it_is_and_what_to_do(typist: Typist) -> None:
    """For me in two lines, for my program as JSON, and nothing of it in .env."""
    before = Path(".env").read_text()
    typist.server.refusals = [("POST /v1/Trunks", Refusal(400, 21248, "Trunk Domain already taken"))] * 2
    answer = typist.types("connect", "twilio", "--name", "acme")
    assert answer.exit_code == 1
    assert "The fault is yours." in answer.output and "--name" in answer.output
    told = typist.told("connect", "twilio")
    assert (told["exit_code"], told["error"]["code"]) == (1, "twilio_21248")
    assert Path(".env").read_text() == before


@pytest.mark.parametrize("words", [
    ("--name", "Not A Name"), ("--name", "-a-"), ("--sip-host", "sip:user@host"), ("--sip-host", "a b"), ("--open", "Germany"),
    ("--number", "12"), ("--buy", "Germany"), ("--buy", "12"), ("--number", "+12025550199", "--buy", "US"),
])  # fmt: skip
def test_what_cannot_be_used_is_told_before_twilio_is_asked(typist: Typist, words: tuple[str, ...]) -> None:
    """A typo costs nothing."""
    answer = typist.types("connect", "twilio", *words)
    assert answer.exit_code == 2, answer.output
    assert not typist.server.changes


def test_a_script_that_names_a_number_buys_it_once_and_releases_it_by_name(typist: Typist) -> None:
    """Nobody is at a terminal: a country only shows what is for sale, a number is bought, --release gives it back."""
    typist.server.numbers.clear()
    typist.server.shop.sells("+12025550142")
    told = typist.told("connect", "twilio", "--buy", "US")
    assert told["exit_code"] == 1 and "1.15 USD a month" in told["error"]["message"]
    assert "--buy +12025550142" in told["error"]["next"] and not typist.server.changes
    for _ in range(2):
        assert typist.told("connect", "twilio", "--buy", "+12025550142")["exit_code"] == 0
    assert typist.env["SIP_FROM_NUMBER"] == "+12025550142" and typist.server.shop.bought == ["+12025550142"]
    assert typist.told("connect", "twilio")["exit_code"] == 0  # without --buy it is found by .env
    plan = typist.told("disconnect", "twilio", "--dry-run")
    assert [one["did"] for one in plan["steps"] if one["step"] == "bought number"] == ["kept"]
    assert typist.told("disconnect", "twilio", "--release")["exit_code"] == 0
    assert not typist.server.numbers and not typist.env.get("SIP_FROM_NUMBER")


def test_nothing_is_bought_that_env_would_not_use(typist: Typist) -> None:
    """My own SIP_FROM_NUMBER stands in the way: I am told before any money is spent."""
    with Path(".env").open("a") as file:
        file.write("SIP_FROM_NUMBER=+12025550177\n")
    typist.server.shop.sells("+12025550142")
    answer = typist.types("connect", "twilio", "--buy", "+12025550142")
    assert answer.exit_code == 2 and "SIP_FROM_NUMBER" in answer.output and not typist.server.changes
