"""`config show`: what is in force, who said so, and no secret in it."""

import json

import pytest

from config import Settings
from modules.command_line.config_show import DEFAULT, Shown, shown
from modules.fleet.plan import settings_from

pytestmark = pytest.mark.unit

SECRET = "0123456789" * 4
BASE = {"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": SECRET}


def _by_name(settings: Settings, environment: dict[str, str], files: dict[str, dict[str, str | None]]) -> dict[str, Shown]:
    return {item.setting: item for item in shown(settings, environment, files)}


def test_secrets_are_hidden_also_inside_urls() -> None:
    """I can paste the output into a ticket."""
    env = BASE | {"REDIS_URL": "rediss://:hunter2hunter2@redis.example:6380/1", "API_KEY": "vf_hunter2hunter2"}
    found = shown(settings_from(env), env, {})
    text = json.dumps([str(item.value) for item in found])
    assert SECRET not in text and "hunter2" not in text
    assert "rediss://(hidden)@redis.example:6380/1" in text


def test_every_setting_is_shown_once() -> None:
    """Nothing that can be set is left out."""
    assert [item.setting for item in shown(settings_from(BASE), {}, {})] == list(Settings.model_fields)


def test_the_name_that_won_is_told() -> None:
    """Of two names for one setting I see which one counted, and where it stood."""
    settings = settings_from(BASE)
    one = _by_name(settings, {"TWILIO_PHONE_NUMBER": "+1"}, {".env": {"sip_from_number": "+2"}})["sip_from_number"]
    assert (one.source, one.name) == ("environment", "TWILIO_PHONE_NUMBER")
    files: dict[str, dict[str, str | None]] = {".env": {"SIP_FROM_NUMBER": "+2"}, ".env.local": {"TWILIO_PHONE_NUMBER": "+3"}}
    other = _by_name(settings, {}, files)["sip_from_number"]
    assert (other.source, other.name) == (".env", "SIP_FROM_NUMBER")


def test_the_later_file_wins_and_an_empty_value_says_nothing() -> None:
    """.env.local overrides .env; an empty line overrides nothing."""
    settings = settings_from(BASE)
    local = _by_name(settings, {}, {".env": {"LOG_LEVEL": "INFO"}, ".env.local": {"LOG_LEVEL": "DEBUG"}})["log_level"]
    assert local.source == ".env.local"
    empty = _by_name(settings, {"LOG_LEVEL": ""}, {".env": {"LOG_LEVEL": ""}})["log_level"]
    assert (empty.source, empty.name) == (DEFAULT, "")
