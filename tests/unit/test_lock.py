"""The lock says the same as pyproject.toml and can be trusted: every package pinned and hashed, no address in it.

Offline: it compares files, it does not resolve. `start_scripts/lock.sh` writes them.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modules.conversation.vendors import EXTRA_LOCK
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit


@dataclass(frozen=True, slots=True)
class Pin:
    version: str
    marker: str
    hashes: frozenset[str]


def pins(path: Path) -> dict[tuple[str, str], Pin]:
    """The entries of a requirements file, by name and marker: one package may differ between platforms."""
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#"))
    found: dict[tuple[str, str], Pin] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip():
            continue
        said = Requirement(entry.split("--hash", 1)[0].strip())
        specifier = str(said.specifier)
        assert re.fullmatch(r"==[^*,]+", specifier), f"{path.name}: {entry[:60]} is not pinned"
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found[canonicalize_name(said.name), str(said.marker or "")] = Pin(specifier[2:], str(said.marker or ""), hashes)
    return found


RUN = pins(PROJECT / "requirements.txt")
DEV = pins(PROJECT / "requirements-dev.txt")
EXTRA = pins(PROJECT / "requirements-providers.txt")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


def direct(lines: list[str]) -> dict[str, str]:
    wanted = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in wanted}


def versions(lock: dict[tuple[str, str], Pin], name: str) -> set[str]:
    return {pin.version for (found, _), pin in lock.items() if found == name}


def test_every_dependency_we_name_is_locked_at_the_version_we_name() -> None:
    """What pyproject.toml asks for is what gets installed."""
    for name, version in direct(PYPROJECT["project"]["dependencies"]).items():
        assert versions(RUN, name) == {version}, f"{name}: run start_scripts/lock.sh"
        assert versions(DEV, name) == {version}, f"{name}: run start_scripts/lock.sh"


def test_every_tool_of_the_developers_is_locked_too() -> None:
    """The development group is in the development lock, at the version named."""
    for name, version in direct(PYPROJECT["dependency-groups"]["dev"]).items():
        assert versions(DEV, name) == {version}, f"{name}: run start_scripts/lock.sh"


def test_the_extra_vendors_are_locked_and_tested() -> None:
    """A vendor that is installed on request is pinned too, and is there for the developers' tests."""
    for name, version in direct(PYPROJECT["project"]["optional-dependencies"]["providers"]).items():
        assert versions(EXTRA, name) == versions(DEV, name) == {version}, f"{name}: run start_scripts/lock.sh"
        assert not versions(RUN, name)


@pytest.mark.parametrize("lock", [RUN, DEV, EXTRA], ids=["requirements.txt", "requirements-dev.txt", EXTRA_LOCK])
def test_every_entry_carries_hashes(lock: dict[tuple[str, str], Pin]) -> None:
    """A package that was swapped at the registry is refused."""
    assert lock
    assert not [name for name, pin in lock.items() if not pin.hashes]


def test_users_and_developers_run_the_same_packages() -> None:
    """What is tested is what is shipped: the run lock is part of the development lock, entry by entry."""
    assert RUN.keys() <= EXTRA.keys() <= DEV.keys()
    assert [name for name, pin in (RUN | EXTRA).items() if DEV[name] != pin] == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", EXTRA_LOCK])
def test_the_lock_names_no_registry(name: str) -> None:
    """Everybody installs from the registry of their own choice."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert re.findall(r"://|--index-url|--extra-index-url|--find-links|\s@\s", text) == []
