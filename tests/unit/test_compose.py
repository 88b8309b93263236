"""docker-compose.yaml and the Dockerfile keep their promises: pinned, healthy, private by default, without root."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.api_server.webhooks.sightings import EVENTS
from modules.setup.livekit_server import VERSION
from modules.setup.places import PROJECT
from tests.compose import LOGIN, VariableMissing, read, services

pytestmark = pytest.mark.unit

SERVICES = services()
OURS = [name for name, service in SERVICES.items() if "build" in service]
ONE_SHOT = [name for name in OURS if "healthcheck" not in SERVICES[name]]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
LISTED = {
    *("api-server", "livekit", "redis", "sip-server", "sip-trunk-init", "trunk-monitor", "voice-agent"),
    "outbound-orchestrator",
}


def seconds(text: str) -> int:
    return sum(int(number) * {"s": 1, "m": 60, "h": 3600}[unit] for number, unit in re.findall(r"(\d+)([smh])", text))


def test_the_services_people_know_are_there() -> None:
    """The seven known services, and the orchestrator."""
    assert set(SERVICES) == LISTED


@pytest.mark.parametrize("name", LOGIN)
def test_nothing_starts_without_secrets_of_my_own(name: str) -> None:
    """A missing secret stops compose with the command that makes one; there is no default to forget about."""
    with pytest.raises(VariableMissing, match=rf"{name}: run \./voicefleet setup"):
        read({key: value for key, value in LOGIN.items() if key != name})


def test_every_version_is_pinned() -> None:
    """What runs tomorrow is what ran today."""
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    loose = [image for image in images if not re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", image)]
    assert not loose
    assert SERVICES["livekit"]["image"] == f"livekit/livekit-server:v{VERSION}"
    assert "version" not in read() and not [name for name in SERVICES if "container_name" in SERVICES[name]]


def test_every_service_that_stays_is_checked() -> None:
    """Docker knows whether each part is well; only the one-shot ends by itself."""
    assert ONE_SHOT == ["sip-trunk-init"]
    assert not [name for name in LISTED - set(ONE_SHOT) if not SERVICES[name]["healthcheck"]["test"]]


def test_parts_wait_for_what_they_need() -> None:
    """Nobody starts before Redis and livekit-server are well; `up --wait` accepts the one-shot as somebody waits for it."""
    for name in OURS:
        needs = {part: how["condition"] for part, how in SERVICES[name]["depends_on"].items()}
        assert needs["redis"] == needs["livekit"] == "service_healthy"
    waiting = [part for service in SERVICES.values() for part, how in service.get("depends_on", {}).items()
               if how["condition"] == "service_completed_successfully"]  # fmt: skip
    assert waiting == ONE_SHOT


def test_nothing_is_reachable_from_outside_by_default() -> None:
    """Every published port is on loopback until the operator says otherwise, and Redis has none."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports and not [port for port in ports if not port.startswith("127.0.0.1:")]
    assert "ports" not in SERVICES["redis"]
    opened = services(LOGIN | {"SIP_PUBLISH_ON": "0.0.0.0"})
    assert all(port.startswith("0.0.0.0:") for port in opened["sip-server"]["ports"])
    assert opened["api-server"]["ports"] == SERVICES["api-server"]["ports"]


def test_our_containers_run_without_root_or_rights() -> None:
    """A process that is broken into can write nothing but its volumes and gain nothing."""
    assert re.search(r"^USER (\S+)", DOCKERFILE, re.M)[1] == "10001:10001"  # type: ignore[index]
    assert DOCKERFILE.index("USER ") > DOCKERFILE.rindex("RUN ")
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service


def test_what_i_edit_is_what_the_containers_speak_from() -> None:
    """Every part of ours has the host's own folders; only the API, which saves for me, may write, and not the trunks' file."""
    for name in OURS:
        mounts = dict(mount.removesuffix(":ro").split(":") for mount in SERVICES[name]["volumes"])
        assert {mounts["./agents"], mounts["./prompts"], mounts["./site"]} == {"/app/agents", "/app/prompts", "/app/site"}
        for folder in ("agents", "prompts", "site"):
            read_only = f"./{folder}:/app/{folder}:ro" in SERVICES[name]["volumes"]
            assert read_only is (name != "api-server" or folder == "site")


def test_the_workers_have_the_last_good_trunks_of_the_api() -> None:
    """I break trunks.yaml: what the API still accepts, a worker, which looks at the file for each call, can still dial."""
    for name in ("api-server", "voice-agent"):
        assert f"trunks:{SERVICES[name]['environment']['DATA_DIR']}/trunks" in SERVICES[name]["volumes"]
    assert re.search(r"^RUN install -d .*\bdata/trunks\b", DOCKERFILE, re.M)


def test_of_the_host_only_folders_are_mounted() -> None:
    """A missing file would become a folder; a missing folder is made, and an empty one says nothing."""
    mounts = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert mounts - set(read()["volumes"]) == {"./agents", "./prompts", "./site"}
    own = SERVICES["api-server"]["environment"]
    assert own["SIP_TRUNKS_FILE"].startswith("/app/site/") and own["CONTACTS_FILE"].startswith("/app/site/")


def test_the_image_installs_only_what_the_lock_names_and_holds_no_secret() -> None:
    """Packages come with hashes; .env, the history of git and local data stay outside."""
    assert "--require-hashes" in DOCKERFILE
    copied = [path for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M) for path in line.split()]
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*" and "**/.env*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    assert not [path for path in copied if not (PROJECT / path).exists()]


def test_running_calls_are_finished_before_a_stop() -> None:
    """A worker, and livekit-sip with it, get the longest call's time before Docker kills them."""
    settings_max_call_s, ringing_s, afterwards_s = 600, 75, 60
    for name in ("voice-agent", "sip-server"):
        assert seconds(SERVICES[name]["stop_grace_period"]) >= settings_max_call_s + ringing_s + afterwards_s


def test_the_number_of_workers_is_one_setting() -> None:
    """NUM_AGENTS=3 gives three."""
    assert services(LOGIN | {"NUM_AGENTS": "3"})["voice-agent"]["deploy"]["replicas"] == "3"


def test_livekit_sip_shares_redis_and_login_with_the_server_and_hides_from_scanners() -> None:
    """Both sides of a call find each other, and strangers find nobody."""
    sip, livekit = SERVICES["sip-server"]["environment"], SERVICES["livekit"]["environment"]
    body: dict[str, Any] = yaml.safe_load(sip["SIP_CONFIG_BODY"])
    assert body["redis"] == yaml.safe_load(livekit["LIVEKIT_CONFIG"])["redis"]
    assert livekit["LIVEKIT_KEYS"] == f"{sip['LIVEKIT_API_KEY']}: {sip['LIVEKIT_API_SECRET']}"
    assert body["hide_inbound_port"] is True
    first, last = (int(port) for port in body["rtp_port"].split("-"))
    assert f"127.0.0.1:{first}-{last}:{first}-{last}/udp" in SERVICES["sip-server"]["ports"]


def test_what_a_command_runs_is_in_the_image() -> None:
    """Every command names a file or package that the Dockerfile copies."""
    for name in OURS:
        command = SERVICES[name]["command"]
        target = Path(*command[2].split(".")) if command[1] == "-m" else Path(command[1])
        assert (PROJECT / target).exists()
        assert re.search(rf"^COPY .*\b{re.escape(target.parts[0])}\b", DOCKERFILE, re.M)


def test_livekit_tells_the_api_what_it_sees() -> None:
    """Its events go to the API's container, signed with the key both know, and only those the API makes use of."""
    told = yaml.safe_load(SERVICES["livekit"]["environment"]["LIVEKIT_CONFIG"])["webhook"]
    port = SERVICES["api-server"]["environment"]["API_PORT"]
    assert told["urls"] == [f"http://api-server:{port}/api/webhook"]
    assert told["api_key"] == LOGIN["LIVEKIT_API_KEY"]
    assert set(told["filter_params"]["include_events"]) == set(EVENTS)
