"""How LiveKit's SIP API says no: SIP status -> Twirp code -> HTTP status, as livekit-api's client reads it. No I/O."""

from modules.simulation.scenario import Refusal

HTTP_STATUS = {
    "canceled": 408,
    "invalid_argument": 400,
    "malformed": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "bad_route": 404,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "aborted": 409,
    "internal": 500,
    "unavailable": 503,
}
_BY_SIP = {
    400: "invalid_argument", 401: "permission_denied", 402: "permission_denied", 403: "permission_denied",
    404: "not_found", 407: "unauthenticated", 408: "deadline_exceeded", 410: "not_found", 480: "resource_exhausted",
    484: "invalid_argument", 486: "resource_exhausted", 487: "aborted", 488: "invalid_argument", 491: "aborted",
    504: "deadline_exceeded", 600: "resource_exhausted", 603: "permission_denied", 604: "not_found",
    607: "permission_denied", 608: "permission_denied",
}  # fmt: skip


class Refused(Exception):
    """A request of the SIP API that was not carried out."""

    def __init__(self, code: str, message: str, meta: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.meta = code, message, meta or {}

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.code]

    @property
    def sip_status(self) -> int | None:
        return int(self.meta["sip_status_code"]) if "sip_status_code" in self.meta else None

    def body(self) -> dict[str, object]:
        return {"code": self.code, "msg": self.message, **({"meta": self.meta} if self.meta else {})}


def by_sip(status: int, text: str) -> Refused:
    """The error for a final SIP response: 5xx that are not in the table are failed_precondition, as in livekit-sip."""
    code = _BY_SIP.get(status, "failed_precondition" if status < 600 else "permission_denied")
    meta = {"sip_status_code": str(status), "sip_status": text}
    return Refused(code, f"INVITE failed: sip status: {status}: {text} (SIP {status})", meta)


def of(refusal: Refusal) -> Refused:
    """The error that a scenario asks for."""
    if refusal.sip_status is not None:
        return by_sip(refusal.sip_status, refusal.sip_text)
    return Refused(refusal.twirp or "internal", refusal.message)


def invalid(message: str) -> Refused:
    return Refused("invalid_argument", message)


def no_answer() -> Refused:
    """The ringing timeout of the request ran out: no SIP status, unlike a carrier that gives up by itself (408)."""
    return Refused("canceled", "the call was canceled: ringing timeout")


def taken_back() -> Refused:
    """The room was deleted, or the participant removed, while it rang: CANCEL."""
    return by_sip(487, "Request Terminated")
