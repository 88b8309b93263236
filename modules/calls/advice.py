"""From how a call ended to what to do about it. Sources: RFC 3261 section 21, Twilio's error pages 13224, 21215, 21219, 32xxx.

The sentence of what happened is in outcomes.py; here is the next step, and the checks that can tell more.
"""

from dataclasses import dataclass

import phonenumbers

from modules.calls.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Advice:
    """`next_step` is one line for a person; `checks` are names of doctor's checks, most likely first."""

    next_step: str
    checks: tuple[str, ...] = ()


_CREDENTIALS = Advice(
    "Compare SIP_AUTH_USERNAME and SIP_AUTH_PASSWORD with the trunk's credential list at the carrier.",
    ("credential_list", "carrier_account"),
)
_NOT_ALLOWED = Advice(
    "The carrier's account may not call {country}: open its geo permissions, see that the caller id is yours, "
    "and on a trial account verify the callee.",
    ("geo_permission", "caller_id", "callee_verified", "credential_list", "from_rule"),
)
_NUMBER = Advice("Check the number: with country code, nothing missing, nothing too much.", ())
_FLEET = Advice("Nothing was dialled: place it again once the fleet is well.", ("workers", "agent_comes", "keys"))

BY_SIP_CODE: dict[int, Advice] = {
    400: _NUMBER,
    401: _CREDENTIALS,
    402: Advice("Top up the carrier's account.", ("carrier_account",)),
    403: _NOT_ALLOWED,
    404: _NUMBER,
    405: Advice("The address is not the carrier's SIP trunk; correct SIP_TRUNK_HOSTNAME.", ("credential_list",)),
    407: _CREDENTIALS,
    408: Advice("If no call at all gets through: is SIP_TRUNK_HOSTNAME right, and UDP 5060 open?", ("sip_service", "ports")),
    410: _NUMBER,
    415: Advice("Allow PCMU or PCMA at the carrier.", ()),
    420: Advice("Switch SIP extensions off at the carrier, or ask its support.", ()),
    480: Advice("Try again later; with max_attempts the fleet does so itself.", ()),
    481: Advice("The carrier lost the call; place it again.", ()),
    482: Advice("The carrier sends calls back to us: correct the trunk's termination address.", ("no_duplicates",)),
    484: _NUMBER,
    486: Advice("Try again later; with max_attempts the fleet does so itself.", ()),
    488: Advice("Allow PCMU or PCMA at the carrier, and the same media encryption on both sides.", ("sound_ports",)),
    500: Advice("The carrier failed; try again later.", ()),
    501: Advice("The address is not the carrier's SIP trunk; correct SIP_TRUNK_HOSTNAME.", ()),
    502: Advice("The carrier could not reach the callee's network; try again later.", ()),
    503: Advice("Lower CALLS_PER_SECOND to what the carrier allows, or wait.", ("carrier_account",)),
    504: Advice("If no call at all gets through: is SIP_TRUNK_HOSTNAME right?", ("sip_service",)),
    580: Advice("Allow calls without preconditions at the carrier.", ()),
    603: Advice("Somebody, or their phone, declined. Do not call again without being asked to.", ()),
    604: _NUMBER,
    607: Advice("The callee marked this caller as unwanted. Do not call again.", ()),
    608: Advice("The callee's network blocked the call as unwanted; see that the caller id is yours.", ("caller_id",)),
}

BY_OUTCOME: dict[Outcome, Advice] = {
    Outcome.INVALID_NUMBER: _NUMBER,
    Outcome.CARRIER_REJECTED: _NOT_ALLOWED,
    Outcome.CARRIER_ERROR: BY_SIP_CODE[500],
    Outcome.TRUNK_MISCONFIGURED: Advice(
        "Look at the trunk: ./voicefleet trunks status", ("sip_service", "credential_list", "no_duplicates", "keys")
    ),
    Outcome.BLOCKED: Advice("Our own rules refused; the reason names the setting. Nothing was dialled."),
    Outcome.EXPIRED: Advice("Was there a worker with room, and were the calling hours open?", ("workers",)),
    Outcome.AGENT_FAILED: Advice(
        "The reason names what broke; see also ./voicefleet personalities lint, ./voicefleet providers list.", ("agent_comes",)
    ),
    Outcome.INFRASTRUCTURE: _FLEET,
    Outcome.INDETERMINATE: Advice("The phone may have rung. Ask before you call again.", ("sip_service", "workers")),
}


def advice(outcome: Outcome | None, sip_code: int | None, number: str) -> Advice | None:
    """Return what to do after a call that ended so; None where nothing is wrong (somebody was simply busy, or answered)."""
    found = BY_SIP_CODE.get(sip_code or 0) or (BY_OUTCOME.get(outcome) if outcome else None)
    if found is None:
        return None
    return Advice(found.next_step.format(country=_country(number)), found.checks)


def _country(number: str) -> str:
    try:
        return f"+{phonenumbers.parse(number).country_code}"
    except phonenumbers.NumberParseException:
        return "this country"
