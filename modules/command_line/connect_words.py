"""What is typed after `connect twilio`, as Twilio wants it. Each raises WrongUse before Twilio is asked."""

import re
from collections.abc import Mapping

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.command_line.errors import WrongUse

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,24}[a-z0-9])", re.ASCII)
_HOST = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?:;transport=(?P<transport>udp|tcp|tls))?", re.ASCII)


def trunk_name(text: str) -> str:
    """Return a trunk's name, "" for none."""
    if text and not _NAME.fullmatch(text):
        raise WrongUse(f"'{text}' cannot be a trunk's name", "3 to 26 small letters, digits and dashes")
    return text


def number(text: str, default_region: str) -> str:
    """Return a number as E.164, "" for none."""
    try:
        return numbers.parse(text, default_region) if text else ""
    except InvalidNumber as error:
        raise WrongUse(f"the number to call from cannot be used: {error.message}", "write it as +12025550100") from None


def to_buy(text: str, default_region: str) -> str:
    """Return a country (DE) or a number (E.164), "" for none."""
    return country(text) if re.fullmatch(r"[A-Za-z]+", text) else number(text, default_region)


def sip_host(text: str) -> str:
    """Return "host:port;transport=…" as an origination wants it."""
    found = _HOST.fullmatch(text)
    if text and not found:
        raise WrongUse(f"'{text}' is not a SIP host", "write it as sip.example.com or sip.example.com:5060;transport=tcp")
    parts: Mapping[str, str | None] = found.groupdict() if text and found else {}
    return f"{parts['host']}:{parts['port'] or 5060};transport={parts['transport'] or 'udp'}" if parts else ""


def country(text: str) -> str:
    """Return a country as two capital letters."""
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise WrongUse(f"'{text}' is not a country", "write it as two letters, e.g. DE")
    return text.upper()
