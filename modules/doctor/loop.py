"""`doctor --loop`: one call of this fleet to itself over real SIP, and what it shows about both directions.

loop_call      the call, and its record at either end      loop_figures   what two records tell      loop_verdict   the lines

It stores a trunk and a rule for as long as the call lasts (sip_management/loop.py) and rings nobody: both ends are ours.
"""

from collections.abc import Mapping, Sequence

import phonenumbers
from livekit import api

from config import Settings
from modules.call_queue_manager import Store, Worker
from modules.calls.errors import InvalidField, Unavailable
from modules.doctor.livekit import sip_answers
from modules.doctor.loop_call import ANSWERER, CALLER, LONGEST_S, Calls, Tell, Way, call_round
from modules.doctor.loop_verdict import Line, lines, removed
from modules.doctor.subject import Subject
from modules.doctor.verdict import Colour, Finding, not_proven, red
from modules.sip_management import choose, configured
from modules.sip_management.client import AWAY, why
from modules.sip_management.loop import alone, close_loop, loop_name, open_loop
from modules.sip_management.trunks import LOOP, LOOP_FROM

__all__ = ["Calls", "Line", "Way", "loop", "way_over", "way_round"]

_NUMBER = "+12025550190"  # of a range that belongs to nobody


def way_round(settings: Settings) -> Way:
    """Return the way out of livekit-sip and straight in again, to a number in a country that may be dialled."""
    countries = settings.allowed_countries
    number = _NUMBER if "US" in countries or not countries else _example(min(countries))
    return Way(LOOP, number, ANSWERER, LOOP_FROM, min(LONGEST_S, settings.max_call_s))


def way_over(settings: Settings, answering: Mapping[str, str], name: str, number: str) -> Way:
    """Return the way over a carrier to a number that a personality of ours answers. Raises InvalidField, TrunksUnusable."""
    trunk = choose(configured(settings), name)
    if trunk.simulated:
        raise InvalidField("The simulated trunk leads to no number of yours.", field="trunk")
    if number not in answering:
        raise InvalidField("That is no personality's inbound_numbers here, and --loop rings nobody else.", field="number")
    longest_s = min(LONGEST_S, settings.max_call_s)
    return Way(trunk.name, number, answering[number], trunk.from_number, longest_s, own=True)


async def loop(subject: Subject, store: Store, lkapi: api.LiveKitAPI, calls: Calls, way: Way, tell: Tell) -> list[Line]:
    """Call, judge, clear up. Raises what `calls` raises, and Unavailable where Redis is away or another loop runs."""
    async with alone(store):
        if hindrance := await _hindrance(subject, calls, way):
            return [Line("loop_call", hindrance)]
        if way.own:
            return [*lines(await call_round(calls, way, tell), way, subject.settings)]
        return await over_a_trunk_of_its_own(subject.settings, store, lkapi, calls, way, tell)


async def over_a_trunk_of_its_own(
    settings: Settings, store: Store, lkapi: api.LiveKitAPI, calls: Calls, way: Way, tell: Tell
) -> list[Line]:
    """Make a way in, call, judge. The way in is gone when this returns or raises, or a line says why it is not."""
    left = ""
    try:
        if refused := await _opened(settings, store, lkapi, way):
            return [Line("loop_call", not_proven(refused, "./voicefleet doctor looks at livekit-server and what it stores."))]
        tell(f"made for this call: trunk and rule {loop_name(settings)}")
        found = [*lines(await call_round(calls, way, tell), way, settings)]
    finally:
        left = await _left(settings, store, lkapi)
        tell(left or "trunk and rule are removed")
    return [*found, removed(left)]


async def _opened(settings: Settings, store: Store, lkapi: api.LiveKitAPI, way: Way) -> str:
    """Make the way in; return why there is none, "" where there is one."""
    try:
        made = await open_loop(settings, lkapi, store, way.number, way.answerer)
    except AWAY as error:
        return f"livekit-server stores no trunk for it: {why(error)}"
    return next((f"livekit-server refuses the {change.noun} for it: {change.refused}" for change in made if change.refused), "")


async def _left(settings: Settings, store: Store, lkapi: api.LiveKitAPI) -> str:
    """Remove the way in; return what is still there and why, "" where all is gone."""
    try:
        gone = await close_loop(settings, lkapi, store)
    except (Unavailable, *AWAY) as error:
        return f"{loop_name(settings)} is still stored: {error.message if isinstance(error, Unavailable) else why(error)}"
    return next((f"{change.noun} {change.name} is still stored: {change.refused}" for change in gone if change.refused), "")


async def _hindrance(subject: Subject, calls: Calls, way: Way) -> Finding | None:
    """Return why no such call can be made here, None where it can."""
    service = await sip_answers(subject)
    if service.colour is not Colour.GREEN:
        simulated = "Without livekit-sip the phone network is simulated, and --loop proves only a real one."
        fix = "Name a livekit-sip in LIVEKIT_SIP_BIN and restart ./voicefleet up, or use docker compose."
        return not_proven(f"{service.why} {simulated}", fix)
    if too_few := no_two_agents(await subject.workers(), subject.settings.max_concurrent_calls):
        return too_few
    known = {one["id"] for one in (await calls.personalities())["personalities"]}
    if missing := {CALLER, way.answerer} - known:
        fix = "Copy agents/loop_*.yaml and prompts/scripts/loop_*.yaml of the project into AGENTS_DIR and PROMPTS_DIR."
        return not_proven(f"The fleet has no personality {' and no '.join(sorted(missing))}.", fix)
    forecast = await calls.place(way.body(dry_run=True))
    if forecast["would"] != "dial":
        fix = "Change ALLOWED_COUNTRIES or CALLING_HOURS, or wait."
        return not_proven(f"The fleet would not dial now. {forecast['reason']}", fix)
    return None


def no_two_agents(alive: Sequence[Worker], most: int) -> Finding | None:
    """Return what keeps two agents from coming, None where they can. `most` calls may go on at once."""
    if not sum(worker.slots for worker in alive):
        return red("No worker takes calls, so nobody would answer.", "Start one: ./voicefleet up")
    free = sum(worker.slots - worker.active for worker in alive)
    if min(free, most) >= 2:
        return None
    fix = "Wait for calls to end, or raise MAX_CONCURRENT_CALLS, and WORKER_SLOTS or NUM_AGENTS."
    return not_proven(f"It takes two agents at once, and {max(0, min(free, most))} is free.", fix)


def _example(region: str) -> str:
    """Return a number of the form that a country uses; it leaves this machine nowhere."""
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.FIXED_LINE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else _NUMBER
