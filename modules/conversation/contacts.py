"""Who calls: a file of names and numbers that the operator keeps (CONTACTS_FILE), read when somebody calls.

contacts:
  - {number: "+12025550111", name: Maria Lopez}
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError, read_strict

log = get_logger("voice_agent")


class Contact(BaseModel):
    """One person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]


class _Contacts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    contacts: list[Contact] = []


def name_of(number: str, file: Path) -> str:
    """Return the name of whoever calls from this number, "" for a stranger. A broken file knows nobody, and is told of."""
    if not number or not file.exists():
        return ""
    try:
        known = read_strict(file, _Contacts).contacts
    except YamlError as error:
        log.error("contacts.broken", problem=str(error))
        return ""
    return next((contact.name for contact in known if contact.number == number), "")
