"""`--request FILE`: one trunk or rule in the JSON that LiveKit's `lk sip … create FILE` takes."""

import json
from pathlib import Path

from google.protobuf.json_format import ParseDict, ParseError

from modules.calls.errors import InvalidField
from modules.sip_management.plan import Wish
from modules.sip_management.shelves import TYPES, Noun

_ENVELOPE = {Noun.INBOUND: "trunk", Noun.OUTBOUND: "trunk", Noun.RULE: "dispatch_rule"}
_LARGEST_BYTES = 64 * 1024


def wish_of(path: Path, noun: Noun) -> Wish:
    """Return what a file asks for: `{"trunk": {…}}` or `{"dispatch_rule": {…}}`. Raises InvalidField; no value is quoted."""
    thing = TYPES[noun]()
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST_BYTES:
            raise InvalidField(f"{path} has more than {_LARGEST_BYTES // 1024} KiB.", field="request")
        told = json.loads(content)
        ParseDict(_inner(path, told, _ENVELOPE[noun]), thing)
    except OSError as error:
        raise InvalidField(f"{path} cannot be read: {error.strerror}.", field="request") from None
    except json.JSONDecodeError as error:
        raise InvalidField(f"{path}:{error.lineno}:{error.colno}: is not JSON: {error.msg}.", field="request") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidField(f"{path} is not JSON ({type(error).__name__}).", field="request") from None
    except ParseError as error:
        raise InvalidField(f"{path}: {_without_values(error)}", field="request") from None
    if not thing.name:
        raise InvalidField(f"{path}: name is required; by it the {noun} is found again.", field="request")
    if thing.metadata:
        raise InvalidField(f"{path}: leave metadata out; that is where we mark what we made.", field="request")
    return Wish(noun, thing.name, thing, source="request")


def _inner(path: Path, told: object, envelope: str) -> dict[str, object]:
    camel = envelope.replace("_r", "R")
    inner = (told.get(envelope) or told.get(camel)) if isinstance(told, dict) else None
    if not isinstance(inner, dict):
        raise InvalidField(f'{path}: expected {{"{envelope}": {{…}}}}, as `lk` takes it.', field="request")
    return inner


def _without_values(error: ParseError) -> str:
    """The first sentence: it names the field. What follows may quote a value."""
    text = str(error)
    return text.partition(": ")[0] + "." if "assword" in text else text
