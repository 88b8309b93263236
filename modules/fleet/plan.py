"""What a fleet on one machine consists of, and the ground it stands on: settings, environment, folders. Starts nothing.

A throwaway fleet (demo, tests, benchmarks) shares nothing with the machine's own: secrets of its own, free ports, a folder of
its own as working directory, so that no `.env` is read, and none of the caller's own settings in its environment. It has no
trunk but the simulated one and therefore cannot reach a phone. A configured fleet (`up`) is what `.env` says.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AliasChoices

from config import Settings, load
from modules.fleet.ports import Ports
from modules.setup.places import PROJECT

REDIS, LIVEKIT, CARRIER = "redis-server", "livekit-server", "simulation"
SIP = "livekit-sip"
API, ORCHESTRATOR, WORKER = "api_server", "outbound_orchestrator", "voice_agent"
EVERYTHING = (REDIS, LIVEKIT, CARRIER, API, ORCHESTRATOR, WORKER)
USUAL_CARRIER = "http://127.0.0.1:7890"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to start. `env` overrides settings by their environment name; with no `data_dir` a new one is made and removed."""

    parts: tuple[str, ...] = EVERYTHING
    env: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    orchestrators: int = 1
    data_dir: Path | None = None
    throwaway: bool = True
    usual_api_port: bool = False
    stores_trunks: bool = False
    """livekit-server keeps trunks and dispatch rules in Redis: without them nobody can call in."""
    worker_stop_within_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every part stands on. `env` is the whole environment of the parts."""

    settings: Settings
    env: Mapping[str, str]
    cwd: Path
    data_dir: Path


def names_of(setting: str) -> tuple[str, ...]:
    """Return the environment names of a setting, the one that wins first."""
    alias = Settings.model_fields[setting].validation_alias
    names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [setting]
    return tuple(name.upper() for name in names)


def settings_from(env: Mapping[str, str]) -> Settings:
    """Return the settings that `env` alone gives: no `.env`, nothing of this process's own environment."""
    values = {name: info.get_default(call_default_factory=True) for name, info in Settings.model_fields.items()}
    for setting in values:
        found = [env[name] for name in names_of(setting) if env.get(name)]
        values |= {setting: found[0]} if found else {}
    given = {name: value for name, value in values.items() if not Settings.model_fields[name].is_required() or value}
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]  # pydantic-settings adds this argument


def throwaway_ground(plan: Plan, data_dir: Path, ports: Ports) -> Ground:
    """Return the ground of a fleet of its own in `data_dir`."""
    ours = {name for setting in Settings.model_fields for name in names_of(setting)}
    outer = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    own = _own_settings(data_dir, ports.take(8000 if plan.usual_api_port else None), ports) | dict(plan.env)
    # The working directory is not the project's, so the parts need to be told where the code is.
    env = outer | own | {"PYTHONPATH": str(PROJECT)}
    return Ground(settings=settings_from(own), env=env, cwd=data_dir, data_dir=data_dir)


def configured_ground(plan: Plan) -> Ground:
    """Return the ground that the environment and `.env` describe. Without any trunk the simulated one is there to try things."""
    settings = load()
    own = {"SIP_API_URL": settings.sip_api_url or USUAL_CARRIER} | dict(plan.env)
    settings = settings.model_copy(update={"sip_api_url": own["SIP_API_URL"]})
    return Ground(settings=settings, env=dict(os.environ) | own, cwd=Path.cwd(), data_dir=settings.data_dir.resolve())


def _own_settings(data_dir: Path, api_port: int, ports: Ports) -> dict[str, str]:
    return {
        "LIVEKIT_URL": f"ws://127.0.0.1:{ports.take()}",
        "LIVEKIT_API_KEY": f"API{secrets.token_hex(6)}",
        "LIVEKIT_API_SECRET": secrets.token_urlsafe(36),
        "REDIS_URL": f"redis://127.0.0.1:{ports.take()}/0",
        "SIP_API_URL": f"http://127.0.0.1:{ports.take()}",
        "DATABASE_URL": f"sqlite:///{data_dir / 'voicefleet.db'}",
        "API_HOST": "127.0.0.1",
        "API_PORT": str(api_port),
        "API_KEY": f"vf_{secrets.token_urlsafe(24)}",
        "DATA_DIR": str(data_dir),
        "LOGS_DIR": str(data_dir / "conversations"),
        "AGENTS_DIR": str(PROJECT / "agents"),
        "PROMPTS_DIR": str(PROJECT / "prompts"),
        "SCENARIOS_DIR": str(PROJECT / "scenarios"),
    }
