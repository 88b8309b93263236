"""The errors a person can meet, each with the HTTP status and the machine code it is answered with.

VoicefleetError
├── BadRequest              400/422  something in the request must change
│   ├── InvalidNumber
│   ├── UnknownPersonality
│   └── InvalidField
├── NotFound                404
├── Conflict                409/422  the request contradicts an earlier one
│   ├── IdempotencyMismatch
│   └── CallAlreadyEnded
├── Refused                 403      our own gate says no
├── Unavailable             503      a part of ours cannot be reached; try again
└── IllegalTransition       500      a program reported an event that cannot follow
"""

from typing import ClassVar


class VoicefleetError(Exception):
    """Something went wrong; the message says what and what to do."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadRequest(VoicefleetError):
    """The request cannot be understood; nothing was queued."""

    status = 422
    code = "bad_request"


class InvalidNumber(BadRequest):
    """The phone number is not one that can be dialled."""

    code = "invalid_number"


class UnknownPersonality(BadRequest):
    """No personality has this id."""

    code = "unknown_personality"


class InvalidField(BadRequest):
    """A field holds a value that cannot be used."""

    code = "invalid_field"


class NotFound(VoicefleetError):
    """Nothing has this id."""

    status = 404
    code = "not_found"


class Conflict(VoicefleetError):
    """The request contradicts what is already so."""

    status = 409
    code = "conflict"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used with another body."""

    status = 422
    code = "idempotency_mismatch"


class CallAlreadyEnded(Conflict):
    """The call has ended; nothing can change it."""

    code = "call_already_ended"


class Refused(VoicefleetError):
    """The gate does not let this call be dialled."""

    status = 403
    code = "refused"


class Unavailable(VoicefleetError):
    """A part of the fleet cannot be reached; nothing was accepted. Try again with the same Idempotency-Key."""

    status = 503
    code = "unavailable"


class IllegalTransition(VoicefleetError):
    """An event was reported that cannot follow the call's state; nothing was changed."""

    code = "illegal_transition"
