"""What a worker has ready before the first call comes."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config import Settings
from modules.conversation.worker import vendors_in_use
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit

OURS: dict[str, Any] = {
    "livekit_api_key": "testing",
    "livekit_api_secret": SecretStr("only-for-tests-0123456789-0123456789-abcdef"),
    "agents_dir": PROJECT / "agents",
    "prompts_dir": PROJECT / "prompts",
}
AZURE = {
    "azure_speech_key": SecretStr("vendor-key"),
    "azure_speech_region": "westeurope",
    "azure_openai_api_key": SecretStr("vendor-key"),
    "azure_openai_endpoint": "http://127.0.0.1:9",
    "azure_openai_deployment_name": "gpt-4o",
}


def test_vendors_with_keys_are_ready_before_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No call of mine waits for a vendor's library; a demo without keys does not load any."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    without = Settings(**OURS, data_dir=tmp_path)
    assert vendors_in_use(without) == []
    assert vendors_in_use(without.model_copy(update=AZURE)) == ["livekit.plugins.azure", "livekit.plugins.openai"]
