"""JSON files as LiveKit's `lk` takes them: read as they are, refused with the place and never with a password."""

import json
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from modules.calls.errors import InvalidField
from modules.sip_management.plan import Change
from modules.sip_management.redaction import HIDDEN, lines, shown
from modules.sip_management.requests import wish_of
from modules.sip_management.shelves import Noun

pytestmark = pytest.mark.unit

SECRET = "sw0rdfish-81"


def written(folder: Path, told: Any) -> Path:
    file = folder / "request.json"
    file.write_text(told if isinstance(told, str) else json.dumps(told))
    return file


@pytest.mark.parametrize(
    ("noun", "told"),
    [
        (Noun.INBOUND, {"trunk": {"name": "door", "allowed_addresses": ["192.0.2.0/24"]}}),
        (Noun.OUTBOUND, {"trunk": {"name": "door", "authUsername": "me", "transport": "SIP_TRANSPORT_TLS"}}),
        (Noun.RULE, {"dispatch_rule": {"name": "door", "rule": {"dispatchRuleIndividual": {"roomPrefix": "call-"}}}}),
        (Noun.RULE, {"dispatchRule": {"name": "door", "trunk_ids": ["ST_x"]}}),
    ],
)
def test_both_spellings_of_lk_are_read(tmp_path: Path, noun: Noun, told: dict[str, Any]) -> None:
    """My file for `lk` works, whether its names have underscores or capitals."""
    wish = wish_of(written(tmp_path, told), noun)
    assert (wish.name, wish.source, len(wish.thing.ListFields())) == ("door", "request", len(next(iter(told.values()))))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{", "request.json:1:2: is not JSON"), ("[]", 'expected {"trunk": {…}}'), ({"trunks": {}}, 'expected {"trunk": {…}}'),
        ({"trunk": {"address": "x"}}, "name is required"), ({"trunk": {"name": "a", "metadata": "b"}}, "leave metadata out"),
        ({"trunk": {"name": "a", "adress": "x"}}, "adress"), ({"trunk": {"name": "a", "auth_password": [SECRET]}}, "assword"),
        ({"trunk": {"name": "a", "auth_password": {"is": SECRET}}}, "assword"),
        ({"trunk": {"name": "a", f"{SECRET}_password": 1}}, "request.json"), (" " * 70_000, "64 KiB"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, told: Any, said: str) -> None:
    """Nothing is stored from half a file, and no value of a password is in the message."""
    with pytest.raises(InvalidField) as caught:
        wish_of(written(tmp_path, told), Noun.OUTBOUND)
    assert said in caught.value.message
    assert SECRET not in caught.value.message or f"{SECRET}_password" in caught.value.message, "a field's name may be told"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A typing mistake in the path is told as one."""
    with pytest.raises(InvalidField, match=r"nothing\.json cannot be read: No such file"):
        wish_of(tmp_path / "nothing.json", Noun.RULE)


def test_passwords_and_headers_are_hidden_wherever_a_trunk_is_shown() -> None:
    """I can paste what `list` and `diff` print into a ticket."""
    trunk = api.SIPOutboundTrunkInfo(address="sip.example.org", auth_password=SECRET, headers={"X-Key": SECRET})
    change = Change(
        "update", Noun.OUTBOUND, "door", "ST_x", trunk, api.SIPOutboundTrunkInfo(), ("address", "auth_password", "headers")
    )
    told = json.dumps(shown(trunk)) + "".join(lines(change))
    assert SECRET not in told
    assert lines(change)[:2] == ["address: nothing -> sip.example.org", f"auth_password: nothing -> {HIDDEN}"]
