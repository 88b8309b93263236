"""trunks.yaml: the trunks beside the one that SIP_TRUNK_HOSTNAME and its three companions describe, one entry each.

A password stands in the file itself or in a file of its own (`password_file`, as Docker mounts secrets). It is in no message.
"""

import re
from pathlib import Path
from typing import Annotated, Self

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.sip_management import carriers
from modules.sip_management.carriers import Network, Transport
from modules.strict_yaml import YamlError, read_strict

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
"""What looks like a number as E.164."""
NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
_HOSTNAME = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:\d{1,5})?")
_PASSWORD_LINE = re.compile(r"\bpassword\b")
_HUSHED = "cannot be used as it stands; a password is text, in quotes"


def _hostname(text: str) -> str:
    if not _HOSTNAME.fullmatch(text):
        raise ValueError("expected a host name or address with or without a port, such as example.pstn.twilio.com, and no sip:")
    return text


def _carrier(text: str) -> str:
    if text not in carriers.carriers():
        raise ValueError(carriers.unknown(text))
    return text


def _number(text: str) -> str:
    try:
        written = numbers.parse(text, phonenumbers.UNKNOWN_REGION)
    except InvalidNumber as error:
        raise ValueError(f"expected a number as E.164, e.g. +493012345678. {error.message}") from None
    if written != text:
        raise ValueError(f'expected E.164; write it as "{written}"')
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InboundSpec(_Strict):
    """Who may call in over this trunk."""

    numbers: list[Annotated[str, AfterValidator(_number)]] = Field(
        default=[],
        max_length=500,
        description="Our numbers it delivers; those listed nowhere come in over the first trunk.",
    )
    allowed_addresses: list[Network] = Field(
        default=[],
        max_length=100,
        description="Networks it calls from, e.g. 192.0.2.0/24; else the carrier's known ones.",
    )
    username: str = Field(default="", max_length=100, description="User it must know, for carriers that answer when asked.")
    password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    password_file: str = Field(default="", description="A file that holds that password.")
    ringing_timeout_s: int = Field(default=30, ge=5, le=180, description="How long a caller hears ringing when no agent comes.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        known = bool(self.password.get_secret_value() or self.password_file)
        if bool(self.username) != known:
            raise ValueError("username and password belong together")
        return self


class TrunkSpec(_Strict):
    """One trunk."""

    hostname: Annotated[str, AfterValidator(_hostname)] = Field(default="", description="The carrier's SIP address.")
    stored_id: str = Field(default="", pattern=r"^(ST_\w+)?$", title="an id such as ST_abc", description="A trunk others stored.")
    carrier: Annotated[str, AfterValidator(_carrier)] | None = Field(
        default=None, description="Instead of the one the hostname picks."
    )
    username: str = Field(default="", max_length=100, description="User of the trunk's credential list.")
    password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    password_file: str = Field(default="", description="A file that holds the password.")
    from_number: str = Field(default="", max_length=64, description="The number calls come from.")
    from_host: str = Field(default="", max_length=253, description="What stands behind the @ in the From header.")
    transport: Transport | None = Field(default=None, description="Instead of the carrier's default.")
    inbound: InboundSpec = Field(default=InboundSpec(), description="Who may call in.")

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if bool(self.hostname) == bool(self.stored_id):
            raise ValueError("give either hostname or stored_id")
        return self


class TrunkFile(_Strict):
    """The whole file."""

    trunks: dict[Annotated[str, Field(pattern=NAME)], TrunkSpec] = Field(default={}, max_length=50)

    @model_validator(mode="after")
    def _no_number_twice(self) -> Self:
        owner: dict[str, str] = {}
        for name, spec in self.trunks.items():
            for number in spec.inbound.numbers:
                if number in owner:
                    raise ValueError(f"{number} stands under both {owner[number]} and {name}; one carrier delivers a number")
                owner[number] = name
        return self


def read(path: Path, home: Path | None = None) -> dict[str, TrunkSpec]:
    """Return the trunks of a file by name, passwords included; {} where there is no such file. Raises YamlError.

    `home` is the folder that its password files are in, where that is not the file's own.
    """
    return {name: _with_passwords(path, home or path.parent, name, spec) for name, spec in _listed(path).items()}


def password_files(path: Path) -> list[Path]:
    """Return the files that passwords of this file's trunks stand in; [] where it cannot be read."""
    try:
        listed = _listed(path).values()
    except YamlError:
        return []
    return [path.parent / one.password_file for spec in listed for one in (spec, spec.inbound) if one.password_file]


def _listed(path: Path) -> dict[str, TrunkSpec]:
    if not path.exists():
        return {}
    try:
        return read_strict(path, TrunkFile).trunks
    except YamlError as error:
        raise _hushed(error) from None


def _hushed(error: YamlError) -> YamlError:
    """The same mistakes, without a word of what stands on a password's line."""
    hushed, *more = (
        YamlError(one.path, one.line, one.field, _HUSHED, column=one.column) if _of_a_password(one) else one
        for one in (error, *error.more)
    )
    hushed.more = tuple(more)
    return hushed


def _of_a_password(error: YamlError) -> bool:
    lines = error.path.read_text(encoding="utf-8", errors="replace").splitlines() if error.path.is_file() else []
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    return error.field.rpartition(".")[2] == "password" or bool(_PASSWORD_LINE.search(line))


def _with_passwords(path: Path, home: Path, name: str, spec: TrunkSpec) -> TrunkSpec:
    place = f"trunks.{name}"
    inbound = spec.inbound.model_copy(update={"password": _password(path, home, f"{place}.inbound", spec.inbound)})
    return spec.model_copy(update={"password": _password(path, home, place, spec), "inbound": inbound})


def _password(path: Path, home: Path, field: str, spec: TrunkSpec | InboundSpec) -> SecretStr:
    if not spec.password_file:
        return spec.password
    if spec.password.get_secret_value():
        raise YamlError(path, 1, f"{field}.password_file", "give either password or password_file")
    try:
        return SecretStr((home / spec.password_file).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise YamlError(path, 1, f"{field}.password_file", f"cannot be read: {type(error).__name__}") from None
