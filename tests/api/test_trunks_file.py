"""trunks.yaml is edited while the API runs: the next call may use what is new, and a broken edit stops nobody."""

import httpx2
import pytest

from config import Settings
from tests.api.conftest import NUMBER

pytestmark = pytest.mark.redis


async def listed(api: httpx2.AsyncClient) -> list[str]:
    return [trunk["name"] for trunk in (await api.get("/v1/trunks")).json()["trunks"]]


async def test_an_edited_trunks_file_counts_at_once(api: httpx2.AsyncClient, api_settings: Settings) -> None:
    """I add a carrier: it is listed, and a call over it is accepted, without a restart."""
    wish = {"to_number": NUMBER, "trunk": "berlin"}
    refused = await api.post("/v1/calls", json=wish)
    assert refused.status_code == 422 and "berlin" in refused.json()["detail"]
    api_settings.sip_trunks_file.write_text("trunks: {berlin: {hostname: sip.telnyx.eu}}")
    assert await listed(api) == ["berlin", "simulated"]
    assert (await api.post("/v1/calls", json=wish)).status_code == 202


async def test_a_broken_edit_is_seen_in_the_health_and_stops_nobody(api: httpx2.AsyncClient, api_settings: Settings) -> None:
    """I mistype a field: calls are accepted over the trunks there were, and /health names the file and the line."""
    file = api_settings.sip_trunks_file
    file.write_text("trunks: {berlin: {hostname: sip.telnyx.eu}}")
    assert await listed(api) == ["berlin", "simulated"]
    file.write_text("trunks:\n  berlin: {hostnam: sip.telnyx.eu, password: hidden-word}\n")
    assert (await api.post("/v1/calls", json={"to_number": NUMBER, "trunk": "berlin"})).status_code == 202
    health = (await api.get("/health")).text
    told = httpx2.Response(200, text=health).json()["services"]["trunks_file"]
    assert (told["status"], told["file"], told["line"]) == ("degraded", file.name, 2)
    assert "hidden-word" not in health
