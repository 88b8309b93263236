"""Two parts the project can do without: flite speaks without a key, chromium is driven by the browser tests."""

from pathlib import Path

from modules.setup import debian
from modules.setup.places import named_by_env, on_path
from modules.setup.progress import Progress


def find_flite() -> Path | None:
    """FLITE_BIN, else PATH. Raises SetupProblem when the variable names no program."""
    return named_by_env("FLITE_BIN") or on_path("flite")


def find_chromium() -> Path | None:
    """CHROMIUM_BIN, else PATH. Raises SetupProblem when the variable names no program."""
    return named_by_env("CHROMIUM_BIN") or on_path("chromium", "chromium-browser", "google-chrome")


def get_flite(progress: Progress) -> Path | None:
    found = find_flite()
    if found is None and debian.install(progress, "flite"):
        found = find_flite()
    if found is None:
        progress.say("flite is missing: calls in the demo cannot be spoken aloud. Type: sudo apt-get install flite")
    return found


def get_chromium(progress: Progress) -> Path | None:
    found = find_chromium()
    if found is None and debian.install(progress, "chromium"):
        found = find_chromium()
    if found is None:
        progress.say("chromium is missing: the browser tests are skipped. Type: sudo apt-get install chromium")
    return found
