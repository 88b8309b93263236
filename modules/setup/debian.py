"""Debian packages, when this user may install them: root, or sudo that asks for no password.

Anything else (macOS, Windows, a user without rights) gets `False` and the caller says what to type.
"""

import os
import sys

from modules.setup.command import CommandFailed, run
from modules.setup.places import on_path
from modules.setup.progress import Progress

_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def install(progress: Progress, *packages: str) -> bool:
    """Installs the packages; whether that worked."""
    apt = _apt_get()
    if apt is None:
        return False
    try:
        with progress.step(f"apt-get install {' '.join(packages)}"):
            _install(apt, packages)
    except CommandFailed as error:
        progress.say(str(error))
        return False
    return True


def _install(apt: list[str], packages: tuple[str, ...]) -> None:
    install_now = [*apt, "install", "-y", "--no-install-recommends", *packages]
    try:
        run(install_now, env=_QUIET)
    except CommandFailed:  # a fresh machine has no package lists, an old one has stale ones
        run([*apt, "update"], env=_QUIET)
        run(install_now, env=_QUIET)


def _apt_get() -> list[str] | None:
    if sys.platform == "win32" or on_path("apt-get") is None:
        return None
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-q"]
    if os.geteuid() == 0:
        return apt
    try:
        run(["sudo", "-n", "true"], timeout_s=10)
    except CommandFailed:
        return None
    return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", *apt]
