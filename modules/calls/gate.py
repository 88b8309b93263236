"""May this number be dialled now? One pure function, asked at enqueue, at claim and immediately before the INVITE.

What it knows: destinations, who asked not to be called, the calling window in the callee's own zone, the last moment, the stop
switch. Consent and budgets join here when they exist; no other code path may refuse or allow a dial.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

from modules.calls import numbers
from modules.calls.model import Call

REFUSED_KINDS = frozenset({"premium rate", "shared cost", "uan", "pager", "personal number", "voicemail"})
# One look-ahead step when a window must open in several zones at once: fine enough for zones with quarter hours.
_STEP = timedelta(minutes=15)
# North American ranges that cost more than their country and that the numbering plan's own kinds do not tell apart:
# 600 (Canada: satellite and special services), 700 (carrier services), the 976 exchange of any area (premium).
_COSTLY_NANP = re.compile(r"\+1(?:(?:600|700)\d{7}|\d{3}976\d{4})")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. `countries` are ISO codes; `calling_hours` is local time at the callee, None = any."""

    countries: frozenset[str]
    calling_hours: tuple[time, time] | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Dial."""


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Not now; ask again at `at`."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """No. `name` is stable for programs, `reason` is for people."""

    name: str
    reason: str


def decide(
    call: Call, policy: Policy, now: datetime, *, paused: bool = False, do_not_call: bool = False
) -> Allowed | NotBefore | Refusal:
    """Return whether `call` may be dialled at `now`. `do_not_call`: its number is on the list of those who are not called."""
    refusal = destination(call.to_number, policy)
    if refusal:
        return refusal
    if do_not_call:
        return Refusal("do_not_call", "This number is on the do-not-call list.")
    if now >= call.expires_at:
        return Refusal("expired", "The call's last moment has passed.")
    if call.not_before and now < call.not_before:
        return NotBefore(call.not_before, "The call is scheduled for later.")
    if paused:
        return NotBefore(now + timedelta(seconds=5), "Dialling is paused.")
    opens = _window_opens(call.to_number, policy, now)
    if opens is None or opens >= call.expires_at:
        return Refusal("calling_hours", "The calling window does not open before the call's last moment.")
    return NotBefore(opens, "It is outside the calling hours at the callee.") if opens > now else Allowed()


def destination(e164: str, policy: Policy) -> Refusal | None:
    """Return why this number may never be dialled, or None."""
    country = numbers.region(e164)
    if country is None:
        return Refusal("destination_not_geographic", "Satellite and worldwide numbers are not dialled.")
    if country not in policy.countries:
        return Refusal("country_not_allowed", f"Calls to {country} are not allowed; add it to ALLOWED_COUNTRIES.")
    kind = "premium rate" if _COSTLY_NANP.fullmatch(e164) else numbers.kind(e164)
    if kind in REFUSED_KINDS:
        return Refusal("number_kind_refused", f"A {kind} number is not dialled.")
    return None


def _window_opens(e164: str, policy: Policy, now: datetime) -> datetime | None:
    if policy.calling_hours is None:
        return now
    zones = [ZoneInfo(name) for name in number_zones.time_zones_for_number(phonenumbers.parse(e164)) if "/" in name]
    if not zones or "Etc/Unknown" in {zone.key for zone in zones}:
        return None  # where nobody knows the callee's time, no time is right
    opens, closes = policy.calling_hours
    moment = now
    while moment < now + timedelta(days=2):
        if all(opens <= moment.astimezone(zone).time() < closes for zone in zones):
            return moment
        moment = _floor(moment) + _STEP
    return None


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)
