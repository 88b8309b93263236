"""When something went wrong in a fleet, its parts' complaints are found among thousands of lines."""

from pathlib import Path

import pytest

from modules.fleet.last_words import last_words

pytestmark = pytest.mark.unit


def test_complaints_are_picked_from_every_part(tmp_path: Path) -> None:
    """Each line says whose it is; what went well, and what livekit-server always says, is left out."""
    (tmp_path / "voice_agent.log").write_text(
        "2026-11-21T14:44:21Z [info     ] call.answered [voice_agent]\n"
        "2026-11-21T14:44:25Z [warning  ] redis.away [voice_agent]\n"
    )
    (tmp_path / "livekit-server.log").write_text(
        "2026-11-21T14:44:25Z\tWARN\tlivekit.transport\terror reading data channel\n"
        "2026-11-21T14:44:26Z\tERROR\tlivekit\tno room\n"
    )
    assert last_words(tmp_path) == [
        "livekit-server: 2026-11-21T14:44:26Z\tERROR\tlivekit\tno room",
        "voice_agent: 2026-11-21T14:44:25Z [warning  ] redis.away [voice_agent]",
    ]


def test_only_the_last_ones_are_told(tmp_path: Path) -> None:
    """A part that complained a thousand times does not bury the others."""
    (tmp_path / "api_server.log").write_text("".join(f"[error    ] {n}\n" for n in range(1000)))
    assert last_words(tmp_path, most=2) == ["api_server: [error    ] 998", "api_server: [error    ] 999"]
