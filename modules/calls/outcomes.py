"""How a call ended, and the one table from what the phone network says to an outcome and to whether it may be retried.

Sources: LiveKit's Twirp errors with SIP status (livekit-api `SipCallError`), RFC 3261 section 21. No exceptions are
handled here; modules/sip_management/errors.py takes them apart.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a call ended."""

    COMPLETED = "completed"
    """Answered, spoken, hung up."""
    VOICEMAIL = "voicemail"
    """A machine took the call: theirs, or, where they called us, ours, and they left a message."""
    BUSY = "busy"
    """The line was in use."""
    NO_ANSWER = "no_answer"
    """It rang and nobody picked up."""
    DECLINED = "declined"
    """The callee pressed the red button."""
    CANCELED = "canceled"
    """Taken back by us before or during the conversation."""
    TRANSFERRED = "transferred"
    """Handed to somebody else."""
    INVALID_NUMBER = "invalid_number"
    """The network knows no such number."""
    UNREACHABLE = "unreachable"
    """The number exists; its phone is off or away."""
    CARRIER_REJECTED = "carrier_rejected"
    """The carrier does not let this account call this number."""
    CARRIER_ERROR = "carrier_error"
    """The carrier failed or is over its limits."""
    TRUNK_MISCONFIGURED = "trunk_misconfigured"
    """Our trunk's address, user or password is wrong."""
    BLOCKED = "blocked"
    """Our own gate refused; the reason is named."""
    EXPIRED = "expired"
    """Its last moment passed while it waited."""
    AGENT_FAILED = "agent_failed"
    """Our agent broke down."""
    INFRASTRUCTURE = "infrastructure"
    """A part of our own fleet was missing; nothing was dialled."""
    INDETERMINATE = "indeterminate"
    """An INVITE may have left and nobody can say what came of it; never dialled again by itself."""


class Retry(StrEnum):
    """May the same call be tried again?"""

    NEVER = "never"
    """No: a person spoke, said no, or nobody can know."""
    LATER = "later"
    """Yes, if the call asked for more attempts, after a pause."""
    SAFE = "safe"
    """Yes: no INVITE left."""


RETRY: dict[Outcome, Retry] = {outcome: Retry.NEVER for outcome in Outcome} | {
    Outcome.BUSY: Retry.LATER,
    Outcome.NO_ANSWER: Retry.LATER,
    Outcome.UNREACHABLE: Retry.LATER,
    Outcome.CARRIER_ERROR: Retry.LATER,
    Outcome.INFRASTRUCTURE: Retry.SAFE,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal means: the outcome, and the sentence a person reads."""

    outcome: Outcome
    sentence: str


_NOT_ALLOWED = "The carrier does not let this account call this number; check caller id, country permission and balance."
_TRUNK_AUTH = "The carrier does not accept the trunk's user or password; check SIP_AUTH_USERNAME and SIP_AUTH_PASSWORD."

BY_SIP_CODE: dict[int, Meaning] = {
    400: Meaning(Outcome.INVALID_NUMBER, "The carrier cannot read the number."),
    401: Meaning(Outcome.TRUNK_MISCONFIGURED, _TRUNK_AUTH),
    402: Meaning(Outcome.CARRIER_REJECTED, "The carrier wants to be paid first."),
    403: Meaning(Outcome.CARRIER_REJECTED, _NOT_ALLOWED),
    404: Meaning(Outcome.INVALID_NUMBER, "The network knows no such number."),
    407: Meaning(Outcome.TRUNK_MISCONFIGURED, _TRUNK_AUTH),
    408: Meaning(Outcome.NO_ANSWER, "Nobody picked up in time."),
    410: Meaning(Outcome.INVALID_NUMBER, "The number is no longer in use."),
    480: Meaning(Outcome.UNREACHABLE, "The phone is off or out of reach."),
    484: Meaning(Outcome.INVALID_NUMBER, "The number is incomplete."),
    486: Meaning(Outcome.BUSY, "The line is busy."),
    487: Meaning(Outcome.CANCELED, "The call was taken back while it rang."),
    488: Meaning(Outcome.TRUNK_MISCONFIGURED, "The carrier and the trunk share no audio codec."),
    491: Meaning(Outcome.CANCELED, "The call was taken back while it rang."),
    503: Meaning(Outcome.CARRIER_ERROR, "The carrier is over its limits or down; lower CALLS_PER_SECOND or wait."),
    504: Meaning(Outcome.NO_ANSWER, "The network gave no answer in time."),
    600: Meaning(Outcome.BUSY, "The line is busy."),
    603: Meaning(Outcome.DECLINED, "The callee declined the call."),
    604: Meaning(Outcome.INVALID_NUMBER, "The number exists nowhere."),
    607: Meaning(Outcome.DECLINED, "The callee does not want this call."),
    608: Meaning(Outcome.DECLINED, "The call was refused on the callee's behalf."),
}

BY_TWIRP_CODE: dict[str, Meaning] = {
    "canceled": Meaning(Outcome.NO_ANSWER, "Nobody picked up in time."),
    "unavailable": Meaning(Outcome.INFRASTRUCTURE, "No SIP service took the request; nothing was dialled."),
    "invalid_argument": Meaning(Outcome.TRUNK_MISCONFIGURED, "The trunk's address cannot be used."),
    "failed_precondition": Meaning(Outcome.TRUNK_MISCONFIGURED, "The trunk is not ready to dial."),
    "unauthenticated": Meaning(Outcome.TRUNK_MISCONFIGURED, "The SIP service does not accept our API key."),
    "not_found": Meaning(Outcome.TRUNK_MISCONFIGURED, "The SIP service does not know this trunk."),
    "aborted": Meaning(Outcome.CANCELED, "The call was taken back while it rang."),
}

UNKNOWN = Meaning(Outcome.INDETERMINATE, "The dial request got no clear answer; the phone may have rung.")
_FRAUD_BLOCK = Meaning(Outcome.CARRIER_REJECTED, "The carrier blocked the call as suspected fraud (32203).")
_CARRIER_5XX = Meaning(Outcome.CARRIER_ERROR, "The carrier failed.")
_NO_PASSWORD = Meaning(
    Outcome.TRUNK_MISCONFIGURED,
    "The carrier asks for a user and password, and the trunk has none; set SIP_AUTH_USERNAME and SIP_AUTH_PASSWORD.",
)
_CARRIER_REFUSED = Meaning(Outcome.CARRIER_REJECTED, "The carrier refused the call.")


def by_sip(code: int, status: str) -> Meaning:
    """Return what a SIP final answer means. `status` is the reason phrase with the carrier's own error, if any."""
    if code == 603 and "32203" in status:
        return _FRAUD_BLOCK
    # 6xx is final wherever the call is sent (RFC 3261 21.6): only a 5xx may be worth another try.
    return BY_SIP_CODE.get(code) or (_CARRIER_5XX if 500 <= code < 600 else _CARRIER_REFUSED)


def by_twirp(code: str, message: str) -> Meaning:
    """Return what an error without a SIP status means."""
    if "context deadline exceeded" in message and code == "failed_precondition":
        return BY_TWIRP_CODE["canceled"]  # livekit/sip#857: ringing ran out, seldom told this way
    # livekit-sip keeps a 401 or 407 to itself and tells it in these words (pkg/sip/protocol.go).
    if "sip server required auth" in message:
        return _NO_PASSWORD
    if "max auth retry attempts" in message or "no auth header in sip invite" in message:
        return BY_SIP_CODE[401]
    return BY_TWIRP_CODE.get(code, UNKNOWN)
