"""How each part of the fleet is started and asked whether it is ready. One function per part; the order is the fleet's.

Everything reaches a part by its environment; no secret is on a command line, where every user of the machine could read it.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from modules.fleet import readiness
from modules.fleet.errors import CannotStart
from modules.fleet.part import Part, Ready
from modules.fleet.plan import API, CARRIER, LIVEKIT, ORCHESTRATOR, REDIS, SIP, WORKER, Ground, Plan
from modules.fleet.ports import Ports
from modules.setup import find_livekit_server, find_livekit_sip, find_redis_server
from modules.setup.places import PROJECT

_SET_UP = "./voicefleet setup"


def redis(ground: Ground) -> Part:
    program = find_redis_server()
    if program is None:
        raise CannotStart("redis-server is not on this machine", _SET_UP)
    host, port = readiness.address(ground.settings.redis_url)
    folder = ground.data_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {"--bind": host, "--port": str(port), "--dir": str(folder), "--save": ""}
    durable = {"--appendonly": "yes", "--appendfsync": "always"}
    return Part(
        name=REDIS,
        command=(str(program), *(word for pair in (options | durable).items() for word in pair)),
        env=ground.env,
        cwd=ground.cwd,
        ready=readiness.by_redis(ground.settings.redis_url),
        others_wait=True,
    )


def livekit(ground: Ground, plan: Plan, ports: Ports) -> Part:
    program = find_livekit_server()
    if program is None:
        raise CannotStart("livekit-server is not on this machine", _SET_UP)
    settings = ground.settings
    host, port = readiness.address(settings.livekit_url)
    config = {
        "port": port,
        "bind_addresses": [host],
        "rtc": {
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "udp_port": ports.take(None if plan.throwaway else 7882),
            "tcp_port": ports.take(None if plan.throwaway else 7881),
        },
        "keys": {settings.livekit_api_key: settings.livekit_api_secret.get_secret_value()},
        # The default, 0.7, starves workers that are nearly full; they say themselves when they are.
        "agents": {"target_load": 1.0},
        "logging": {"level": "info"},
    }
    if plan.stores_trunks:
        config |= {"redis": _redis_of(settings.redis_url)}
    if API in plan.parts:
        told = {"include_events": ["participant_joined", "participant_left", "participant_connection_aborted", "room_finished"]}
        webhook = {"api_key": settings.livekit_api_key, "urls": [f"{api_url(ground)}/api/webhook"], "filter_params": told}
        config |= {"webhook": webhook}
    return Part(
        name=LIVEKIT,
        command=(str(program),),
        env=dict(ground.env) | {"LIVEKIT_CONFIG": yaml.safe_dump(config)},
        cwd=ground.cwd,
        ready=readiness.by_http(settings.http_url),
        others_wait=True,
    )


def _redis_of(url: str) -> dict[str, object]:
    """The Redis of our queue as livekit-server's configuration names it."""
    at = urlsplit(url)
    secrets = {"username": at.username, "password": at.password, "use_tls": at.scheme == "rediss"}
    found = {"address": f"{at.hostname}:{at.port or 6379}", "db": int(at.path.strip("/") or 0)}
    return found | {name: value for name, value in secrets.items() if value}


def sip(ground: Ground, plan: Plan, ports: Ports) -> Part:
    """The way to real phones, from a binary of the user's. A throwaway one hears and speaks on this machine only."""
    program = find_livekit_sip()
    if program is None:
        raise CannotStart("livekit-sip is not on this machine", "name the binary in LIVEKIT_SIP_BIN, or use docker compose")
    settings, health = ground.settings, ports.take()
    here = settings.sip_publish_on.startswith("127.")
    first = 20 * (ports.take() // 20) if plan.throwaway else 10_000
    config = {
        "redis": _redis_of(settings.redis_url),
        "api_key": settings.livekit_api_key,
        "api_secret": settings.livekit_api_secret.get_secret_value(),
        "ws_url": settings.livekit_url,
        "sip_port": settings.sip_port,
        "rtp_port": f"{first}-{first + 200}",
        "health_port": health,
        "hide_inbound_port": True,
        # It refuses calls above this load of the whole machine, on which other parts run too.
        "max_cpu_utilization": 1,
        "logging": {"level": "info"},
    }
    if here:
        config |= {"listen_ip": settings.sip_publish_on, "nat_1_to_1_ip": settings.sip_publish_on}
    else:
        config |= {"use_external_ip": settings.sip_use_external_ip}
    return Part(
        name=SIP,
        command=(str(program),),
        env=dict(ground.env) | {"SIP_CONFIG_BODY": yaml.safe_dump(config)},
        cwd=ground.cwd,
        ready=readiness.by_tcp(f"http://127.0.0.1:{health}"),
        stop_within_s=plan.worker_stop_within_s,
    )


def carrier(ground: Ground) -> Part:
    return _python(ground, CARRIER, ("-m", "modules.simulation"), readiness.by_tcp(ground.settings.sip_api_url))


def api(ground: Ground) -> Part:
    return _python(ground, API, ("-m", "modules.api_server"), readiness.by_http(f"{api_url(ground)}/readyz"))


def orchestrators(ground: Ground, plan: Plan) -> list[Part]:
    ready = readiness.by_sweeps(ground.settings.redis_url)
    command = ("-m", "modules.outbound_orchestrator")
    return [_python(ground, name, command, ready) for name in numbered(ORCHESTRATOR, plan.orchestrators)]


def workers(ground: Ground, plan: Plan, ports: Ports) -> list[Part]:
    found = []
    for number, name in enumerate(numbered(WORKER, plan.workers), start=1):
        settings = ground.settings
        usual = settings.worker_port + number - 1 if settings.worker_port and not plan.throwaway else None
        port = ports.take(usual)
        if usual and port != usual:
            raise CannotStart(f"port {usual} of {name} is taken", "set WORKER_PORT to a free one, or to 0 for any")
        ready = readiness.by_worker(f"http://127.0.0.1:{port}/", settings.redis_url, number * settings.worker_slots)
        command, env = (str(PROJECT / "voice_agent.py"), "start"), {"WORKER_PORT": str(port)}
        found.append(_python(ground, name, command, ready, env=env, stop_within_s=plan.worker_stop_within_s))
    return found


def numbered(name: str, count: int) -> list[str]:
    """Return "x", "x-2", "x-3": the names of several processes of one kind."""
    return [name if number == 1 else f"{name}-{number}" for number in range(1, count + 1)]


def api_url(ground: Ground) -> str:
    """Return where this machine reaches the API."""
    host = ground.settings.api_host
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else host}:{ground.settings.api_port}"


def _python(
    ground: Ground,
    name: str,
    command: tuple[str, ...],
    ready: Ready,
    *,
    env: dict[str, str] | None = None,
    stop_within_s: float = 10.0,
) -> Part:
    return Part(
        name=name,
        command=(str(Path(sys.executable)), *command),
        env=dict(ground.env) | (env or {}),
        cwd=ground.cwd,
        ready=ready,
        stop_within_s=stop_within_s,
    )
