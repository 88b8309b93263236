"""Values that a command writes into .env: only where nothing of the user's is in the way, and taken back the same way."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key, unset_key

IsOurs = Callable[[str, str], bool]


def in_the_way(wanted: Mapping[str, str], files: list[Path], is_ours: IsOurs) -> list[str]:
    """Return the names, each with the place, that hold another value, which is not ours either."""
    places = {str(file): dotenv_values(file) for file in files} | {"the environment": dict(os.environ)}
    return [
        f"{name} in {place}"
        for name, value in wanted.items()
        for place, values in places.items()
        if (there := values.get(name)) and there != value and not is_ours(name, there)
    ]


def value_of(name: str, file: Path) -> str:
    """Return what a file says of a name, "" for nothing."""
    return dotenv_values(file).get(name) or ""


def write(file: Path, wanted: Mapping[str, str]) -> None:
    """Set the values; other lines stay as they are. A new file is its owner's only."""
    for name, value in wanted.items():
        set_key(file, name, value, quote_mode="never", follow_symlinks=True)


def take_back(file: Path, names: list[str]) -> None:
    """Remove lines that were written by `write`."""
    for name in names:
        unset_key(file, name, follow_symlinks=True)
