"""What of the fleet is there already, and what is in its way. Asked once before the start; starts nothing itself."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from modules.fleet.errors import CannotStart
from modules.fleet.plan import API, CARRIER, LIVEKIT, REDIS, Ground, Plan
from modules.fleet.ports import is_free
from modules.fleet.readiness import accepts, address, answers, redis_answers


async def missing(ground: Ground, plan: Plan) -> tuple[str, ...]:
    """Return the parts to start. Raises CannotStart where one that should be elsewhere is not, or a port is taken."""
    if plan.throwaway:
        return plan.parts
    settings = ground.settings
    shared: dict[str, tuple[str, str, Callable[[str], Awaitable[bool]]]] = {
        REDIS: ("REDIS_URL", settings.redis_url, redis_answers),
        LIVEKIT: ("LIVEKIT_URL", settings.http_url, answers),
        CARRIER: ("SIP_API_URL", settings.sip_api_url, accepts),
    }
    found = {name for name, (variable, url, ask) in shared.items() if name in plan.parts and await _there(variable, url, ask)}
    if API in plan.parts and not is_free(settings.api_port, host=settings.api_host):
        raise CannotStart(f"port {settings.api_port} of the API is taken", "set API_PORT to a free one, or stop what has it")
    return tuple(name for name in plan.parts if name not in found)


async def _there(variable: str, url: str, ask: Callable[[str], Awaitable[bool]]) -> bool:
    """Return whether the part at `url` is there; if not, whether we may start it there is decided by raising."""
    if await ask(url):
        return True
    host, port = address(url)
    if not is_loopback(host):
        raise CannotStart(f"{variable} names {host}:{port}, which does not answer", f"start it, or correct {variable}")
    if urlsplit(url).password:
        raise CannotStart(f"nobody answers at {host}:{port}, and {variable} has a password", f"start it, or correct {variable}")
    if not is_free(port, host=host):
        raise CannotStart(f"port {port} of {variable} is taken by something else", f"set {variable} to a free port")
    return False


def is_loopback(host: str) -> bool:
    """Return whether this name means this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
