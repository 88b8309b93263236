"""What a fleet would be started with: its settings, its environment, its ports."""

from pathlib import Path

import pytest
import yaml

from config import Settings
from modules.api_server.webhooks.sightings import EVENTS
from modules.fleet import Plan
from modules.fleet.parts import api_url, livekit, numbered
from modules.fleet.plan import API, EVERYTHING, names_of, settings_from, throwaway_ground
from modules.fleet.ports import Ports, is_free
from modules.fleet.surroundings import is_loopback
from modules.setup import find_livekit_server
from modules.sip_management import configured

pytestmark = pytest.mark.unit


def test_a_throwaway_fleet_has_only_the_simulated_trunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """My carrier's name in the environment does not make the demo call a real phone."""
    monkeypatch.setenv("SIP_TRUNK_HOSTNAME", "mine.pstn.twilio.com")
    monkeypatch.setenv("SIP_TRUNK_ID", "ST_mine")
    ground = throwaway_ground(Plan(), tmp_path, Ports())
    trunks = configured(ground.settings)
    assert list(trunks) == ["simulated"] and trunks["simulated"].simulated
    assert "SIP_TRUNK_HOSTNAME" not in ground.env and "SIP_TRUNK_ID" not in ground.env


def test_a_throwaway_fleet_reads_no_env_file(tmp_path: Path) -> None:
    """Its programs run in a folder of their own, where no .env is."""
    ground = throwaway_ground(Plan(), tmp_path, Ports())
    assert ground.cwd == tmp_path and not (ground.cwd / ".env").exists()
    assert ground.settings.agents_dir.is_absolute() and ground.settings.prompts_dir.is_absolute()


def test_what_a_plan_asks_for_reaches_settings_and_programs(tmp_path: Path) -> None:
    """MAX_CONCURRENT_CALLS=4 in a plan is 4 for everybody."""
    ground = throwaway_ground(Plan(env={"MAX_CONCURRENT_CALLS": "4", "LEASE_S": "2.5"}), tmp_path, Ports())
    assert ground.settings.max_concurrent_calls == 4 and ground.settings.lease_s == 2.5
    assert ground.env["MAX_CONCURRENT_CALLS"] == "4"


def test_two_throwaway_fleets_share_no_secret_and_no_port(tmp_path: Path) -> None:
    """Two demos side by side do not meet."""
    ports = Ports()
    one, other = (throwaway_ground(Plan(), tmp_path, ports).settings for _ in range(2))
    for setting in ("livekit_url", "livekit_api_secret", "redis_url", "sip_api_url", "api_port", "api_key"):
        assert getattr(one, setting) != getattr(other, setting), setting


def test_settings_come_from_the_given_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process was started with has no say in the settings of another fleet."""
    monkeypatch.setenv("MAX_CALL_S", "33")
    settings = settings_from({"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": "x" * 40, "TWILIO_PHONE_NUMBER": "+12025550101"})
    assert settings.max_call_s == Settings.model_fields["max_call_s"].default
    assert settings.sip_from_number == "+12025550101"


def test_every_setting_has_an_environment_name() -> None:
    """There is no setting that cannot be set."""
    assert all(names_of(setting) for setting in Settings.model_fields)
    assert names_of("sip_from_number") == ("SIP_FROM_NUMBER", "LIVEKIT_SIP_NUMBER", "TWILIO_PHONE_NUMBER")


def test_ports_are_free_and_none_is_given_twice() -> None:
    """Every part gets a port of its own."""
    ports = Ports()
    given = [ports.take() for _ in range(50)]
    assert len(set(given)) == 50 and all(is_free(port) for port in given)


def test_several_workers_have_names_of_their_own() -> None:
    """The second worker is voice_agent-2."""
    assert numbered("voice_agent", 3) == ["voice_agent", "voice_agent-2", "voice_agent-3"]


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("redis", False)])
def test_only_loopback_is_ours_to_serve(host: str, here: bool) -> None:
    """A Redis on another machine is never replaced by one here."""
    assert is_loopback(host) is here


def test_livekit_tells_the_api_what_it_sees(tmp_path: Path) -> None:
    """Its events go to the API of the same fleet, signed with its key; a fleet without an API is not bothered."""
    if find_livekit_server() is None:
        pytest.skip("livekit-server is missing; ./voicefleet setup gets it")
    plan, ports = Plan(), Ports()
    ground = throwaway_ground(plan, tmp_path, ports)
    told = yaml.safe_load(livekit(ground, plan, ports).env["LIVEKIT_CONFIG"])["webhook"]
    assert told["urls"] == [f"{api_url(ground)}/api/webhook"]
    assert told["api_key"] == ground.settings.livekit_api_key
    assert set(told["filter_params"]["include_events"]) == set(EVENTS)
    alone = Plan(parts=tuple(part for part in EVERYTHING if part != API))
    assert "webhook" not in yaml.safe_load(livekit(ground, alone, ports).env["LIVEKIT_CONFIG"])
