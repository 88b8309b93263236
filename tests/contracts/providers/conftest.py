"""A vendor's server and settings with every key, for the tests of the vendors."""

from collections.abc import AsyncIterator

import pytest
from livekit.agents.utils import http_context

from config import Settings
from modules.conversation.vendors import VENDORS
from tests.contracts.providers.vendor_server import VendorServer, vendor_server

SECRET = "only-for-tests-0123456789-0123456789-abcdef"


@pytest.fixture
async def server() -> AsyncIterator[VendorServer]:
    """A vendor, inside the HTTP session that LiveKit gives a job."""
    async with vendor_server() as running, http_context.open():
        yield running


@pytest.fixture
def keys(server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with every vendor's key; the machine's own .env has no say."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    values = {name.lower(): "vendor-key" for vendor in VENDORS for name in vendor.needs}
    values |= {"azure_openai_endpoint": server.url, "livekit_api_key": "testing", "livekit_api_secret": SECRET}
    return Settings(**values, openai_compatible_api_key="vendor-key")  # type: ignore[arg-type]  # pydantic makes it secret
