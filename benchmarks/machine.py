"""On what a run was made and how busy that was meanwhile. No path and no host name: only what a reader needs to judge figures."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from modules.setup import find_livekit_server, find_redis_server


@dataclass(frozen=True, slots=True)
class Watch:
    """The machine as it was at the start of a run."""

    load: float
    ticks: int
    stolen: int

    @classmethod
    def start(cls) -> "Watch":
        return cls(_load(), *_ticks())

    def stop(self) -> dict[str, Any]:
        """Return the machine and its state over the run."""
        ticks, stolen = _ticks()
        steal = 100 * (stolen - self.stolen) / max(1, ticks - self.ticks)
        return {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "kernel": f"{platform.system()} {platform.release()}",
            "load_start": self.load,
            "load_end": _load(),
            "steal_percent": round(steal, 1),
            "versions": _versions(),
        }


def _load() -> float:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else -1.0


def _ticks() -> tuple[int, int]:
    """All ticks of all processors, and those that the hypervisor took; zeros where the system does not tell."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    except (OSError, ValueError, IndexError):
        return 0, 0
    return sum(fields), fields[7]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in ("livekit-agents", "livekit", "livekit-api")}
    programs = {"livekit-server": find_livekit_server(), "redis-server": find_redis_server()}
    told = {name: _version(program) for name, program in programs.items() if program}
    return {"python": platform.python_version(), **found, **told}


def _version(program: Path) -> str:
    answer = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    words = [word.removeprefix("v=") for word in answer.split()]
    return next((word for word in words if word[:1].isdigit()), "unknown")
