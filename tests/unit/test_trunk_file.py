"""trunks.yaml: several carriers in one fleet, every mistake named with its place, and no password in any message."""

import re
from pathlib import Path

import pytest

from config import Settings
from modules.calls.errors import InvalidField
from modules.setup.places import PROJECT
from modules.sip_management.trunk_book import TrunkBook
from modules.sip_management.trunk_file import InboundSpec, TrunkSpec, read
from modules.sip_management.trunks import TrunksUnusable, choose, configured
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit

SECRET = "sw0rdfish-81"
GOOD = f"""\
trunks:
  munich:
    hostname: me.pstn.twilio.com
    username: me
    password: {SECRET}
    from_number: "+498912345678"
  office:
    hostname: 192.168.1.4:5070
    from_number: "4711"
    inbound: {{numbers: ["+4930123456"], allowed_addresses: [192.168.1.4/32]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trunks.yaml"


def with_file(settings: Settings, file: Path, **changes: str) -> Settings:
    return settings.model_copy(update={"sip_trunks_file": file, **changes})


def test_without_the_file_there_is_the_trunk_of_the_environment(settings: Settings, file: Path) -> None:
    """Four values are enough for one carrier; the file is for more."""
    found = configured(with_file(settings, file, sip_trunk_hostname="me.pstn.twilio.com", sip_from_number="+12025550100"))
    assert list(found) == ["default"] and found["default"].carrier == "twilio"


def test_a_call_may_name_one_of_several_trunks(settings: Settings, file: Path) -> None:
    """The trunk of the environment comes first, then those of the file in their order, then the simulated one."""
    file.write_text(GOOD)
    found = configured(with_file(settings, file, sip_trunk_hostname="sip.telnyx.com", sip_api_url="http://127.0.0.1:7890"))
    assert list(found) == ["default", "munich", "office", "simulated"]
    munich = choose(found, "munich")
    assert munich.inline and (munich.inline.auth_username, munich.inline.auth_password) == ("me", SECRET)
    assert (munich.from_number, munich.carrier, choose(found, "office").carrier) == ("+498912345678", "twilio", "lan")
    assert SECRET not in repr(found), "a trunk may be logged without giving its password away"


def test_a_mistake_in_the_file_hurts_only_its_own_trunks(settings: Settings, file: Path) -> None:
    """I break trunks.yaml while calls wait: those over the settings' own trunk, or simulated ones, are dialled all the same."""
    file.write_text(GOOD.replace("hostname", "hostnam"))
    mine = with_file(settings, file, sip_trunk_hostname="sip.telnyx.com", sip_api_url="http://127.0.0.1:7890")
    book = TrunkBook(mine)
    assert (book.of_call("default").carrier, book.of_call("simulated").simulated) == ("telnyx", True)
    with pytest.raises(TrunksUnusable, match="did you mean `hostname`"):
        book.of_call("munich")
    file.unlink()
    with pytest.raises(InvalidField, match="There is no trunk 'munich'"):
        book.of_call("munich")


def test_a_password_may_stand_in_a_file_of_its_own(file: Path) -> None:
    """As Docker mounts secrets: the path is relative to trunks.yaml, the last line break does not count."""
    (file.parent / "munich").write_text(f"{SECRET}\n")
    file.write_text(GOOD.replace(f"password: {SECRET}", "password_file: munich"))
    assert read(file)["munich"].password.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("was", "becomes", "line", "told"),
    [
        ("hostname: me.pstn", "hostname: sip:me.pstn", 3, "no sip:"),
        ("username:", "user:", 4, "did you mean `username`?"),
        ("  office:", "  Office!:", 7, "office"),
        ("[192.168.1.4/32]", "[192.168.1.4]", 10, "192.168.1.4/32"),
        ('["+4930123456"]', '["030 123456"]', 10, "E.164"),
        ("hostname: 192.168.1.4:5070", "hostname: 192.168.1.4:5070\n    carrier: twillio", 9, "did you mean `twilio`?"),
        ("hostname: 192.168.1.4:5070", "hostname: 192.168.1.4:5070\n    transport: tsl", 9, "tls"),
        ("hostname: 192.168.1.4:5070", "stored_id: ST_x\n    hostname: 192.168.1.4", 8, "either hostname or stored_id"),
        ("  office:", "  munich:", 7, "is written twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(file: Path, was: str, becomes: str, line: int, told: str) -> None:
    """File, line, field, what was expected; nothing is guessed and nothing is ignored."""
    assert was in GOOD
    file.write_text(GOOD.replace(was, becomes, 1))
    with pytest.raises(YamlError) as caught:
        read(file)
    assert told.lower() in str(caught.value).lower()
    assert caught.value.path == file and abs(caught.value.line - line) <= 1


@pytest.mark.parametrize(
    "written",
    ["81818181", f"!{SECRET}", f"[{SECRET}]", f"{{a: {SECRET}}}", f"*{SECRET}", f"&{SECRET} x", f"@{SECRET}", f"'{SECRET}"],
)
def test_no_message_quotes_a_password(settings: Settings, file: Path, written: str) -> None:
    """However I botch the password, what I am told holds the place and not the password."""
    file.write_text(GOOD.replace(SECRET, written))
    with pytest.raises(TrunksUnusable) as caught:
        configured(with_file(settings, file))
    message = caught.value.message
    assert SECRET not in message and "81818181" not in message
    assert f"{file}:" in message


def test_one_number_has_one_carrier(file: Path) -> None:
    """Two trunks that both say they bring a number are both named."""
    file.write_text(GOOD.replace('"4711"', '"4711"').replace("  office:", '    inbound: {numbers: ["+4930123456"]}\n  office:'))
    with pytest.raises(YamlError, match=r"\+4930123456 stands under both munich and office"):
        read(file)


@pytest.mark.parametrize(("name", "env"), [("default", "me.pstn.twilio.com"), ("simulated", "")])
def test_a_name_that_is_taken_is_refused(settings: Settings, file: Path, name: str, env: str) -> None:
    """The names of the two trunks that settings make are theirs."""
    file.write_text(GOOD.replace("munich", name))
    with pytest.raises(TrunksUnusable, match="rename yours"):
        configured(with_file(settings, file, sip_trunk_hostname=env))


def test_the_page_explains_every_field_and_its_example_works(tmp_path: Path) -> None:
    """docs/trunks.md names all that can be written, and what it shows can be pasted."""
    page = (PROJECT / "docs" / "trunks.md").read_text("utf-8")
    fields = [*TrunkSpec.model_fields, *(f"inbound.{name}" for name in InboundSpec.model_fields)]
    assert [name for name in fields if f"| `{name}` |" not in page] == []
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert example
    (tmp_path / "telnyx-password").write_text("x")
    (tmp_path / "trunks.yaml").write_text(example.group(1))
    assert len(read(tmp_path / "trunks.yaml")) == 3
