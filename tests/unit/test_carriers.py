"""What is known of carriers: found by hostname, dated, with its sources, and with consequences."""

import ipaddress
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from livekit.protocol.sip import SIPTransport

from config import Settings
from modules.setup.places import PROJECT
from modules.sip_management import carriers as package
from modules.sip_management.carriers import Carrier, carrier_id, carriers
from modules.sip_management.trunks import configured
from modules.strict_yaml import YamlError, read_strict

pytestmark = pytest.mark.unit

PICKED = {
    "me.pstn.twilio.com": "twilio",
    "me.pstn.frankfurt.twilio.com:5061": "twilio",
    "ME.PSTN.TWILIO.COM": "twilio",
    "sip.telnyx.com": "telnyx",
    "sip.telnyx.eu": "telnyx",
    "21784177241578.zt.plivo.com": "plivo",
    "me.pstn.sinch.com": "sinch",
    "me.sip-us.vonage.com": "vonage",
    "sip.nexmo.com": "vonage",
    "192.168.1.4:5070": "lan",
    "[fd00::7]:5060": "lan",
    "pbx.local": "lan",
    "sip.example.org": "generic",
    "pstn.twilio.com.example.org": "generic",
}


@pytest.mark.parametrize(("hostname", "carrier"), PICKED.items(), ids=PICKED)
def test_the_hostname_picks_the_carrier(hostname: str, carrier: str) -> None:
    """I write my carrier's address and its rules are known."""
    assert carrier_id(hostname) == carrier


@pytest.mark.parametrize("name", carriers())
def test_every_fact_has_its_page_and_its_day(name: str) -> None:
    """What a file says of a carrier can be looked up; networks are never open to the world."""
    carrier = carriers()[name]
    if name not in ("lan", "generic"):
        notes = [
            *carrier.quirks,
            *carrier.not_hostnames,
            carrier.from_number,
            *([carrier.signalling] if carrier.signalling else []),
        ]
        assert all(note.source.startswith("https://") for note in notes)
    assert all(ipaddress.ip_network(network).prefixlen >= 24 for network in carrier.networks)
    assert carrier.networks or carrier.unverified or name == "generic", "where addresses are not known, it says so"


def test_a_mistaken_address_is_named() -> None:
    """x.sip.twilio.com is something else at Twilio, and I am told before I make a call."""
    assert "not a trunk" in carriers()[carrier_id("me.sip.twilio.com")].hostname_problem("me.sip.twilio.com")
    assert carriers()["twilio"].hostname_problem("me.pstn.twilio.com") == ""


@pytest.mark.parametrize(
    ("carrier", "number", "fits"),
    [
        ("twilio", "+12025550100", True), ("twilio", "12025550100", False), ("twilio", "", False),
        ("vonage", "447700900000", True), ("vonage", "+447700900000", True), ("vonage", "anonymous", False),
        ("lan", "4711", True), ("lan", "reception", True), ("lan", "", False), ("generic", "0301234567", False),
    ],
)  # fmt: skip
def test_the_number_to_call_from_has_the_carriers_form(carrier: str, number: str, fits: bool) -> None:
    """A number my carrier would refuse with 403 is named when I look, with an example of a right one."""
    assert (carriers()[carrier].from_problem(number) == "") is fits


def test_the_carriers_file_decides_what_a_trunk_leaves_open(settings: Settings, tmp_path: Path) -> None:
    """The transport and the host in From come from the carrier, unless I write them; `carrier:` overrides the hostname."""
    settings = settings.model_copy(update={"sip_trunks_file": tmp_path / "trunks.yaml"})
    settings.sip_trunks_file.write_text(
        "trunks:\n"
        "  pbx: {hostname: 192.168.1.4}\n"
        "  mine: {hostname: 192.168.1.4, transport: tls}\n"
        "  sinch: {hostname: 'me.pstn.sinch.com:5060'}\n"
        "  odd: {hostname: sip.example.org, carrier: twilio, from_host: me.example.org}\n"
    )
    found = {name: trunk.inline for name, trunk in configured(settings).items()}
    assert [SIPTransport.Name(inline.transport) for inline in found.values() if inline] == [
        "SIP_TRANSPORT_UDP", "SIP_TRANSPORT_TLS", "SIP_TRANSPORT_AUTO", "SIP_TRANSPORT_AUTO",
    ]  # fmt: skip
    assert [inline.from_host for inline in found.values() if inline] == ["", "", "me.pstn.sinch.com", "me.example.org"]
    assert [trunk.carrier for trunk in configured(settings).values()] == ["lan", "lan", "sinch", "twilio"]


def test_the_files_are_found_from_any_directory(tmp_path: Path) -> None:
    """The carriers come with the program, wherever it is started."""
    code = "from modules.sip_management.carriers import carriers; print(*carriers())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["generic", "lan", "plivo", "sinch", "telnyx", "twilio", "vonage"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("54.172.60.0/30", "54.172.60.1", "expected a network such as 54.172.60.1/32"),
        ("54.172.60.0/30", "54.172.60.1/30", "has host bits set"),
        ("form: e164", "form: e163", "did you mean `e164`?"),
        ("quirks:", "quirk:", "did you mean `quirks`?"),
        ("https://github.com/livekit/sip/issues/520", "github.com/livekit", "https://"),
        ('seen: "2026-11-21"', "seen: yesterday", "a day such as 2026-11-21"),
    ],
)
def test_a_mistake_in_a_carriers_file_has_its_line(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    """I correct an address range and slip: file, line and what was expected, and a bare address is never taken."""
    copy = tmp_path / "twilio.yaml"
    shutil.copy(package.FOLDER / "twilio.yaml", copy)
    text = copy.read_text("utf-8")
    copy.write_text(text.replace(was, becomes, 1), "utf-8")
    with pytest.raises(YamlError) as caught:
        read_strict(copy, Carrier)
    line = text[: text.index(was)].count("\n") + 1
    assert (caught.value.path, caught.value.line) == (copy, line) and told in str(caught.value)
