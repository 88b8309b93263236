"""A user's machine for the set-up's tests: its own PATH, cache and home, with whatever programs a test puts there."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with nothing on PATH but what was installed on it."""

    bin: Path
    cache: Path

    def has(self, name: str, script: str = "exit 0") -> Path:
        """Puts a program on PATH: a shell script with these lines."""
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return program


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    if sys.platform == "win32":
        pytest.skip("the machine's programs are shell scripts")
    made = Machine(tmp_path / "bin of mine", tmp_path / "cache")
    made.bin.mkdir()
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("XDG_CACHE_HOME", str(made.cache))
    for name in ("LIVEKIT_SERVER_BIN", "REDIS_SERVER_BIN", "FLITE_BIN", "CHROMIUM_BIN"):
        monkeypatch.delenv(name, raising=False)
    return made
