"""The one door to the environment: what is wrong is named in one line, what is an example from a manual is refused."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

import config
from config import EXAMPLE_SECRETS, Settings

pytestmark = pytest.mark.unit

GOOD = "a-real-secret-0123456789-0123456789-0123456789"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings have no say."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("TWILIO_PHONE_NUMBER", "LIVEKIT_SIP_NUMBER", "SIP_TRUNK_ID", "LIVEKIT_SIP_OUTBOUND_TRUNK", "OPENAI_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIVEKIT_API_KEY", "APItesting")
    monkeypatch.setenv("LIVEKIT_API_SECRET", GOOD)


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **environment: str) -> str:
    """Return what is printed when a process is started with this environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as left:
        config.load()
    assert left.value.code == 2
    return capsys.readouterr().err


def test_two_secrets_are_enough() -> None:
    """Everything else has a default."""
    settings = config.load()
    assert settings.livekit_url == "ws://127.0.0.1:7880"
    assert settings.http_url == "http://127.0.0.1:7880"
    assert "US" in settings.allowed_countries


@pytest.mark.parametrize("secret", sorted(EXAMPLE_SECRETS))
@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "API_KEY"])
def test_secrets_from_manuals_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, secret: str
) -> None:
    """Nobody runs a fleet with a key that everybody knows."""
    for spelling in (secret, secret.upper()):
        told = refusal(monkeypatch, capsys, **{name: spelling})
        assert f"{name}: " in told
        assert "example from a manual" in told


@pytest.mark.parametrize("secret", ["devkey", "short", "x" * 31])
def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str) -> None:
    """I am told which setting is wrong, why, and what to type."""
    told = refusal(monkeypatch, capsys, LIVEKIT_API_SECRET=secret)
    assert "LIVEKIT_API_SECRET: " in told
    assert "./voicefleet setup" in told


def test_a_refusal_never_prints_the_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A log of a failed start can be shown to others."""
    told = refusal(monkeypatch, capsys, LIVEKIT_API_SECRET="too-short-but-mine", CALLING_HOURS="nonsense")
    assert "too-short-but-mine" not in told
    assert len([line for line in told.splitlines() if ": " in line]) == 3


def test_missing_secrets_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a .env I read what is missing."""
    monkeypatch.delenv("LIVEKIT_API_KEY")
    assert "LIVEKIT_API_KEY: Field required" in refusal(monkeypatch, capsys, LIVEKIT_API_SECRET="")


@pytest.mark.parametrize(("name", "value"), [
    ("RING_TIMEOUT_S", "76"), ("RING_TIMEOUT_S", "0"), ("RING_TIMEOUT_S", "soon"), ("API_PORT", "eighty"),
    ("CALLING_HOURS", "8-21"), ("CALLING_HOURS", "21:00-08:00"), ("CALLING_HOURS", "08:00"), ("CALLING_HOURS", "08:00-25:00"),
    ("LOG_FORMAT", "xml"), ("LOG_LEVEL", "LOUD"), ("EXPORT_CONVERSATIONS", "perhaps"),
])  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    """One wrong line in .env, one line that names it."""
    assert f"{name}: " in refusal(monkeypatch, capsys, **{name: value})


@pytest.mark.parametrize(("name", "setting", "value"), [
    ("TWILIO_PHONE_NUMBER", "sip_from_number", "+12025550199"), ("LIVEKIT_SIP_NUMBER", "sip_from_number", "+12025550199"),
    ("SIP_TRUNK_ID", "sip_outbound_trunk_id", "ST_x"), ("LIVEKIT_SIP_OUTBOUND_TRUNK", "sip_outbound_trunk_id", "ST_x"),
    ("OPENAI_API_VERSION", "azure_openai_api_version", "2030-01-01"),
])  # fmt: skip
def test_names_people_know_from_elsewhere_work(
    monkeypatch: pytest.MonkeyPatch, name: str, setting: str, value: str
) -> None:
    """My old .env goes on working."""
    monkeypatch.setenv(name, value)
    assert getattr(config.load(), setting) == value


def test_our_own_name_wins_over_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both are set, the documented name counts."""
    monkeypatch.setenv("TWILIO_PHONE_NUMBER", "+12025550111")
    monkeypatch.setenv("SIP_FROM_NUMBER", "+12025550122")
    assert config.load().sip_from_number == "+12025550122"


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without a value in .env is no value."""
    monkeypatch.setenv("REDIS_URL", "")
    assert config.load().redis_url == "redis://127.0.0.1:6379/0"


def test_countries_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters and spaces are fine, and an empty list stays empty."""
    monkeypatch.setenv("ALLOWED_COUNTRIES", "us, de ,,JM")
    assert config.load().allowed_countries == frozenset({"US", "DE", "JM"})
    monkeypatch.setenv("ALLOWED_COUNTRIES", ",")
    assert config.load().allowed_countries == frozenset()


@pytest.mark.parametrize("region", ["XX", "USA", "Germany"])
def test_a_region_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], region: str
) -> None:
    """A wrong DEFAULT_REGION is found when the process starts, not at the first number without a plus."""
    assert "DEFAULT_REGION: " in refusal(monkeypatch, capsys, DEFAULT_REGION=region)


def test_a_region_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """de is Germany as well."""
    monkeypatch.setenv("DEFAULT_REGION", "de")
    assert config.load().default_region == "DE"


def test_calling_hours_become_the_gates_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """What I set is what the gate asks."""
    monkeypatch.setenv("CALLING_HOURS", "08:00 - 21:00")
    window = config.policy(config.load()).calling_hours
    assert window is not None
    assert [moment.hour for moment in window] == [8, 21]


def test_the_second_env_file_wins_over_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """My local changes go into .env.local; the environment beats both."""
    monkeypatch.setitem(Settings.model_config, "env_file", (".env", ".env.local"))
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("API_PORT=1\nNUM_AGENTS=1\nWORKER_SLOTS=1\n")
    Path(".env.local").write_text("API_PORT=2\nNUM_AGENTS=2\n")
    monkeypatch.setenv("API_PORT", "3")
    settings = config.load()
    assert (settings.api_port, settings.num_agents, settings.worker_slots) == (3, 2, 1)


def test_settings_cannot_be_changed_afterwards() -> None:
    """What was read at the door is true until the process ends."""
    with pytest.raises(ValidationError):
        config.load().api_port = 1


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stray print of the settings gives nothing away."""
    monkeypatch.setenv("API_KEY", "vf_my-own-key-0123456789")
    monkeypatch.setenv("SIP_AUTH_PASSWORD", "my-own-password")
    printed = repr(config.load()) + str(config.load())
    assert GOOD not in printed
    assert "my-own" not in printed


def test_every_secret_looking_setting_is_a_secret() -> None:
    """A new key or password is hidden from the day it is added."""
    for name, info in Settings.model_fields.items():
        if name != "livekit_api_key" and name.endswith(("secret", "password", "auth_token", "api_key", "speech_key")):
            assert info.annotation is SecretStr, name


def test_wss_becomes_https() -> None:
    """A server behind TLS is asked over TLS."""
    secret = SecretStr(GOOD)
    assert Settings(livekit_url="wss://x.example", livekit_api_key="k", livekit_api_secret=secret).http_url == "https://x.example"
