"""What went wrong at a vendor, as one sentence with a next step. Never in the vendor's words: a key or speech may be in them.

ProviderError
├── ProviderRejected      it answered and said no: key, model, voice, money
├── ProviderBusy          its limit is used up
├── ProviderFailed        a fault of its own, or an answer that is none
├── ProviderTimedOut      no answer in time
└── ProviderUnreachable   no connection
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import aiohttp
from livekit.agents import APIConnectionError, APIStatusError, APITimeoutError, llm

from modules.conversation.personality import Components
from modules.conversation.vendors import Vendor, vendor

# Azure's speech library tells the status in words only.
_AZURE = {"AuthenticationFailure": 401, "BadRequest": 400, "TooManyRequests": 429, "Forbidden": 403, "ServiceError": 500,
          "ServiceUnavailable": 503}  # fmt: skip
_CANCELLED = re.compile(r"CancellationErrorCode\.(\w+)")
# Websockets are closed with these by vendors who do not know the key, or whose account is empty.
_REFUSING_CLOSE_CODES = frozenset({1008, 4001, 4002, 4003})


class ProviderError(Exception):
    """A vendor did not do its part. The message names the vendor, what it said, and what to do."""

    def __init__(self, who: str, what: str, step: str) -> None:
        super().__init__(f"{type(self).__name__}: {who} {what}: {step}")
        self.vendor, self.what, self.step = who, what, step


class ProviderRejected(ProviderError):
    """It said no, and will again until something changes."""


class ProviderBusy(ProviderError):
    """Too many requests, or the quota is used up."""


class ProviderFailed(ProviderError):
    """A fault on its side, or an answer that cannot be used."""


class ProviderTimedOut(ProviderError):
    """It did not answer in time."""


class ProviderUnreachable(ProviderError):
    """No connection to it."""


class GivenUp(llm.RealtimeModelError):
    """A realtime model has failed for good. LiveKit is told otherwise: it would close the session before our apology."""

    @classmethod
    def of(cls, error: Exception, label: str) -> Self:
        """Return it for this error of the model of this name."""
        return cls(timestamp=time.time(), label=label, error=error, recoverable=True)


def is_final(error: Any) -> bool:
    """Whether an error of a session means that all vendors of a stage have failed."""
    return isinstance(error, GivenUp) or not getattr(error, "recoverable", True)


def named(who: Vendor, error: BaseException) -> ProviderError:
    """Return what an error of a vendor's plugin means."""
    chain = list(_causes(error))
    if status := next(filter(None, map(_status, chain)), 0):
        return _by_status(who, status)
    if any(isinstance(one, APITimeoutError | TimeoutError) for one in chain):
        return ProviderTimedOut(who.name, "did not answer in time", "try again, or list a second provider after it")
    if any(isinstance(one, APIStatusError) for one in chain):
        return ProviderFailed(who.name, "broke off", "try again, or list a second provider after it")
    lost = isinstance(chain[0], APIConnectionError | aiohttp.ClientConnectionError | OSError)
    if lost and not isinstance(chain[-1], ValueError | LookupError | TypeError):
        return ProviderUnreachable(who.name, "cannot be reached", f"check the network{_address(who)}")
    return ProviderFailed(who.name, "sent no usable answer", f"check model and voice in the personality{_address(who)}")


def session_failure(error: Any, components: Components) -> str:
    """Return why a session ended, from the error it closed with."""
    kind: Any = "llm" if error.type == "realtime_model_error" else error.type.removesuffix("_error")
    chain: Sequence[Any] = getattr(components, kind, ())
    if not chain:
        return f"{error.type} failed"
    if len(chain) == 1:
        return str(named(vendor(kind, chain[0].provider), error.error))
    tried = ", ".join(one.provider for one in chain)
    return f"ProviderFailed: {tried} failed one after the other: the log has the reason of each"


def _by_status(who: Vendor, status: int) -> ProviderError:
    says = f"says {status}"
    if status >= 1000:
        says = f"closed the connection ({status})"
    if status in (401, 403) or status in _REFUSING_CLOSE_CODES:
        return ProviderRejected(who.name, says, _check_key(who))
    if status == 402:
        return ProviderRejected(who.name, says, "check the account's credit")
    if status == 429:
        return ProviderBusy(who.name, says, "its limit is used up; raise it there, or list a second provider after it")
    if status in (408, 504):
        return ProviderTimedOut(who.name, says, "try again, or list a second provider after it")
    if 400 <= status < 500:
        return ProviderRejected(who.name, says, f"check model, voice and language in the personality{_address(who)}")
    return ProviderFailed(who.name, says, "a fault on its side; try again, or list a second provider after it")


def _check_key(who: Vendor) -> str:
    keys = [name for name in who.needs if name.endswith(("_KEY", "_CREDENTIALS"))]
    return f"check {keys[0] if keys else 'its key'}"


def _address(who: Vendor) -> str:
    places = [name for name in who.needs if name.endswith(("_REGION", "_ENDPOINT", "_DEPLOYMENT_NAME"))]
    return "".join(f", {name}" for name in places)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        yield one
        seen.add(id(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _status(error: BaseException) -> int:
    """Return the HTTP status or websocket close code an error tells of; 0 for none. 1006 is no answer, but a lost line."""
    if isinstance(error, APIStatusError):
        status = error.status_code
    elif isinstance(error, aiohttp.ClientResponseError):
        status = error.status
    else:
        found = _CANCELLED.search(str(error)) if isinstance(error, APIConnectionError) else None
        status = _AZURE.get(found.group(1), 0) if found else 0
    return status if status >= 400 and status != 1006 else 0
