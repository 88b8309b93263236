"""What editors and readers are told about personalities is complete; test_docs.py compares it with the models."""

import json
import re
from pathlib import Path

import pytest

from modules.conversation.reference import page, schema_page
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit


def test_every_field_is_explained() -> None:
    """I look a field up and find what may stand there, its default and a sentence."""
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.*?) \|$", page(), re.MULTILINE)
    assert len(rows) >= 40
    assert [row[0] for row in rows if not all(row) or not row[3].endswith((".", "`"))] == []


def test_the_schema_holds_together() -> None:
    """Every part the schema refers to is in it; with `extends` nothing is required, without it all that must be is."""
    text = schema_page()
    schema = json.loads(text)
    assert {name.rpartition("/")[2] for name in re.findall(r'"\$ref": "([^"]+)"', text)} <= set(schema["definitions"])
    assert schema["definitions"]["Personality"]["required"] == ["name", "components", "greeting"]
    assert not any("required" in part for name, part in schema["definitions"].items() if name.startswith("Part"))


@pytest.mark.parametrize("path", sorted((PROJECT / "agents").glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_find_the_schema(path: Path) -> None:
    """I open a personality in an editor and it completes the fields."""
    first = path.read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/personality.schema.json"
