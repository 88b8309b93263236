"""The errors only HTTP knows. The rest of the tree is in modules/calls/errors.py; how one is answered is in problems.py.

VoicefleetError
├── NotSignedIn        401      ├── BodyTooLarge       413
├── BadSignature       401      ├── BodyTooSlow        408
├── StaleWebhook       401      ├── MethodNotAllowed   405
├── Replayed           403      ├── UnknownMediaType   415
├── ScopeMissing       403      └── BadRequest
├── CrossSite          403          └── InvalidJson    400
└── GateRefused        403
"""

from modules.calls.errors import BadRequest, Refused, VoicefleetError


class NotSignedIn(VoicefleetError):
    """No valid API key was sent."""

    status = 401
    code = "unauthorized"


class BadSignature(VoicefleetError):
    """A webhook is not signed by whom it claims to come from; nothing was changed."""

    status = 401
    code = "bad_signature"


class StaleWebhook(VoicefleetError):
    """A webhook is signed and too old; nothing was changed."""

    status = 401
    code = "stale_webhook"


class Replayed(VoicefleetError):
    """This webhook was taken in before; nothing was changed."""

    status = 403
    code = "webhook_replayed"


class ScopeMissing(VoicefleetError):
    """The API key is valid and may not do this."""

    status = 403
    code = "forbidden"


class CrossSite(VoicefleetError):
    """A browser sent this from another site's page; nothing was done."""

    status = 403
    code = "cross_site"


class BodyTooLarge(VoicefleetError):
    """The body is larger than BODY_LIMIT_BYTES allows."""

    status = 413
    code = "body_too_large"


class BodyTooSlow(VoicefleetError):
    """The body did not arrive in time."""

    status = 408
    code = "body_too_slow"


class MethodNotAllowed(VoicefleetError):
    """This address exists and does not answer this method."""

    status = 405
    code = "method_not_allowed"


class UnknownMediaType(VoicefleetError):
    """This address does not read a body of this content type."""

    status = 415
    code = "unknown_media_type"


class InvalidJson(BadRequest):
    """The body is not JSON."""

    status = 400
    code = "invalid_json"


class GateRefused(Refused):
    """The gate does not let this call be dialled; `refusal` names the rule."""

    def __init__(self, refusal: str, message: str) -> None:
        super().__init__(message, field="to_number" if refusal != "calling_hours" else None)
        self.refusal = refusal
