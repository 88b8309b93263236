"""A vendor's key that is not there: found before a phone rings, told with the name to set."""

from pathlib import Path

from pydantic import SecretStr

from config import Settings
from modules.calls.errors import VoicefleetError
from modules.conversation.vendors import Vendor


class MissingKey(VoicefleetError):
    """A personality names a vendor whose key is not set."""

    code = "missing_key"


def value_of(settings: Settings, name: str) -> str:
    """Return a setting by its environment name, also a secret one."""
    value: str | SecretStr = getattr(settings, name.lower())
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def need(vendor: Vendor, settings: Settings, **instead: str) -> dict[str, str]:
    """Return the vendor's settings by name; raise MissingKey for the first that is empty and has no value in `instead`."""
    found = {name: value_of(settings, name) or instead.get(name, "") for name in vendor.needs}
    for name, value in found.items():
        if not value:
            raise MissingKey(f"Provider {vendor.name} needs {name}; set it in .env.", field=name)
        if name == "GOOGLE_APPLICATION_CREDENTIALS" and not Path(value).is_file():
            raise MissingKey(f"Provider {vendor.name} needs the file {name} names; there is none.", field=name)
    return found
