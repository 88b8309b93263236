"""The verbs against a real API on a real Redis. No worker: what is queued stays queued, and can be taken back."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from modules.command_line import app
from modules.command_line.completion import call_ids
from modules.fleet import API, REDIS, Fleet, Plan
from modules.fleet.run_file import RunFile

pytestmark = pytest.mark.redis

GYM = "+12025550100"


@contextmanager
def running(plan: Plan) -> Iterator[Fleet]:
    """A fleet on a loop of its own, so that commands may run theirs."""
    ready: Future[Fleet] = Future()
    loop, leave = asyncio.new_event_loop(), asyncio.Event()

    async def live() -> None:
        try:
            async with Fleet(plan) as fleet:
                ready.set_result(fleet)
                await leave.wait()
        except Exception as error:
            ready.set_exception(error)

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), name="fleet")
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running(Plan(parts=(REDIS, API), data_dir=tmp_path_factory.mktemp("fleet"))) as fleet:
        yield fleet


@pytest.fixture
def cli(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> "Cli":
    monkeypatch.setenv("VOICEFLEET_API_URL", fleet.api_url)
    monkeypatch.setenv("API_KEY", fleet.settings.api_key.get_secret_value())
    return Cli()


class Cli:
    """Types a command."""

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    def json(self, *words: str) -> Any:
        """Type a command that must succeed, and read its JSON."""
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


def test_a_call_is_placed_shown_and_taken_back(cli: Cli) -> None:
    """`call`, `show` and `cancel` tell the same call."""
    placed = cli.json("call", GYM, "--personality", "local_demo", "--trunk", "simulated", "--greeting", "Hello.")
    assert placed["state"] == "queued" and placed["simulated"] and placed["greeting"] == "Hello."
    assert cli.json("show", placed["call_id"])["turns"] == []
    shown = cli("show", placed["call_id"])
    assert shown.exit_code == 0 and "(simulated)" in shown.stdout and "queued" in shown.stdout
    assert cli.json("cancel", placed["call_id"], "--reason", "changed my mind")["state"] == "ended"
    ended = cli("show", placed["call_id"])
    assert "outcome   canceled. changed my mind" in ended.stdout


def test_watching_ends_with_the_call_and_only_a_completed_one_is_success(cli: Cli) -> None:
    """`call --watch` in a script fails when nobody was spoken to."""
    command = [sys.executable, "-m", "modules", "call", GYM, "--trunk", "simulated", "--watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        assert cli("cancel", first["data"]["call_id"]).exit_code == 0
        rest = [json.loads(line) for line in watching.stdout]
    assert watching.returncode == 1
    assert [event["type"] for event in [first, *rest]] == ["call.queued", "call.ended"]
    assert rest[-1]["data"]["outcome"] == "canceled"


def test_variables_reach_the_call(cli: Cli) -> None:
    """--var name=value, as often as needed, with = in the value."""
    placed = cli.json("call", GYM, "--personality", "short_notice", "--var", "guest=Ada", "--var", "note=a=b")
    assert placed["variables"] == {"guest": "Ada", "note": "a=b"}


def test_a_call_on_someones_behalf_is_one_line(cli: Cli) -> None:
    """What I typed are the call's variables; without a personality the concierge speaks, and asks for its vendor's key."""
    wish = {
        "action": "book a table",
        "context": "At eight.",
        "callee_name": "Blue Door",
        "agent_name": "Eva",
        "organization": "Ada",
    }
    words = [word for name, text in wish.items() for word in (f"--{name.replace('_', '-')}", text)]
    assert cli.json("call", GYM, "--personality", "concierge_demo", *words)["variables"] == wish
    refused = cli("call", GYM, *words)
    assert (refused.exit_code, "'concierge' uses azure, which needs AZURE_SPEECH_KEY" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("call", "123"), 2, "numbering plan"),
        (("call", "not-a-number"), 2, "digits"),
        (("call", GYM, "--var", "novalue"), 2, "NAME=VALUE"),
        (("call", GYM, "--personality", "nobody"), 2, "nobody"),
        (("call", GYM, "--trunk", "elsewhere"), 2, "elsewhere"),
        (("call", GYM, "--action", "book a table"), 2, "for whom the agent calls"),
        (("call", GYM, "--context", "At eight."), 2, "say what the agent shall get done"),
        (("show", "outbound-20200101-000000-000000000000"), 1, "No call has this id"),
        (("cancel", "outbound-20200101-000000-000000000000"), 1, "No call has this id"),
    ],
)
def test_a_refusal_is_one_line_and_an_exit_code(cli: Cli, words: tuple[str, ...], code: int, says: str) -> None:
    """I read what is wrong, not a traceback, and a script sees it too."""
    result = cli(*words)
    assert result.exit_code == code and result.stdout == ""
    assert "error: " in result.stderr and says in result.stderr and "Traceback" not in result.stderr
    told = json.loads(cli(*words, "--json").stdout)
    assert says in told["error"]["message"]


def test_a_wrong_key_is_named_as_such(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong API_KEY does not look like a broken fleet."""
    monkeypatch.setenv("API_KEY", "vf_wrong")
    result = cli("calls")
    assert result.exit_code == 1 and "API_KEY" in result.stderr


def test_a_fleet_that_is_not_there_is_exit_code_3(cli: Cli) -> None:
    """A script can tell "not running" from "refused"."""
    result = cli("calls", "--api-url", "http://127.0.0.1:9")
    assert result.exit_code == 3 and "does not answer" in result.stderr and "./voicefleet up" in result.stderr


def test_the_shell_completes_call_ids(cli: Cli, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab after `show` offers the latest calls; without a fleet it offers nothing and says nothing."""
    cli.json("call", GYM, "--trunk", "simulated")
    monkeypatch.setenv("API_PORT", str(fleet.settings.api_port))
    known = {call["call_id"] for call in cli.json("calls", "--limit", "20")["calls"]}
    assert known and known <= {call_id for call_id, _ in call_ids("outbound-")}
    monkeypatch.setenv("API_PORT", "9")
    assert call_ids("outbound-") == []


def test_a_number_is_put_on_the_do_not_call_list_and_taken_off(cli: Cli) -> None:
    """Somebody asked me not to be called again: a call to them is refused, in words, until they change their mind."""
    number = "+12025550109"
    assert cli.json("do-not-call", "add", "202 555 0109")["number"] == number
    assert number in cli("do-not-call", "list").stdout
    assert [one["number"] for one in cli.json("do-not-call", "list")["numbers"]] == [number]
    refused = cli("call", number)
    assert refused.exit_code == 1 and "do-not-call list" in refused.output
    assert "may be called again" in cli("do-not-call", "remove", number).stdout
    assert cli("do-not-call", "remove", number).exit_code == 1
    assert cli.json("call", number)["to_number"] == number


def test_keys_are_made_listed_and_revoked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key I give away works until I take it back."""
    made = cli.json("keys", "create", "crm", "--scope", "calls:read")
    assert "crm" in cli("keys", "list").stdout
    first = cli.json("keys", "list")["keys"][0]
    assert first["id"] == made["id"] and "key" not in first
    with monkeypatch.context() as as_crm:
        as_crm.setenv("API_KEY", made["key"])
        assert cli("calls").exit_code == 0
        assert cli("call", GYM).exit_code == 1
    assert cli("keys", "revoke", made["id"]).exit_code == 0
    monkeypatch.setenv("API_KEY", made["key"])
    assert cli("calls").exit_code == 1


def test_settings_are_shown_with_their_origin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config show` tells me which variable counted."""
    monkeypatch.setenv("LIVEKIT_API_KEY", "APItesting")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "0123456789" * 4)
    monkeypatch.setenv("LIVEKIT_SIP_NUMBER", "+12025550101")
    found = cli.json("config", "show")
    assert found["sip_from_number"]["value"] == "+12025550101" and found["sip_from_number"]["name"] == "LIVEKIT_SIP_NUMBER"
    assert found["livekit_api_secret"]["value"] == "(set)" and "0123456789" not in cli("config", "show").output


def test_up_twice_says_so(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `up` does not start a second fleet on the same data."""
    monkeypatch.setenv("LIVEKIT_API_KEY", "APItesting")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "0123456789" * 4)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with RunFile(tmp_path).held():
        for words in (("up",), ("up", "--detach")):
            result = cli(*words)
            assert result.exit_code == 1 and "runs already" in result.stderr and "down" in result.stderr
    assert cli.json("down") == {"stopped": False, "pid": None}
