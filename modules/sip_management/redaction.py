"""Trunks and rules as people and programs may see them: in the JSON form of `lk`, without passwords."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from modules.sip_management.plan import Change
from modules.sip_management.shelves import Thing

HIDDEN = "(hidden)"
_PASSWORDS = frozenset({"auth_password"})
_MAPS_OF_VALUES = frozenset({"headers"})  # a header may carry a key


def shown(thing: Thing) -> dict[str, Any]:
    """Return a trunk or rule as the JSON object `lk` reads and writes; passwords and the values of headers are hidden."""
    told: dict[str, Any] = MessageToDict(thing, preserving_proto_field_name=True)
    return {name: _hidden(name, value) for name, value in told.items()}


def lines(change: Change) -> list[str]:
    """Return one line for each field that differs: what is stored, and what is wished."""
    was, will = (shown(thing) if thing is not None else {} for thing in (change.before, change.thing))
    return [f"{name}: {_said(name, was)} -> {_said(name, will)}" for name in change.fields if name != "metadata"]


def _said(name: str, told: dict[str, Any]) -> str:
    value = told.get(name, "nothing")
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _hidden(name: str, value: Any) -> Any:
    if name in _PASSWORDS:
        return HIDDEN
    return dict.fromkeys(value, HIDDEN) if name in _MAPS_OF_VALUES else value
