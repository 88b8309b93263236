"""Writes every page that is made from the program: `python -m docs.generate`. tests/unit/test_docs.py compares them.

The texts live where the things are: a setting's sentence in config.py, a state's in modules/calls, a verb's in its docstring.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config import Settings
from modules.calls import drawing
from modules.command_line import reference
from modules.conversation import reference as personality_reference
from modules.conversation import silence_page, vendor_page
from modules.doctor import page as doctor_page
from modules.fleet.plan import names_of

PROJECT = Path(__file__).resolve().parent.parent
# The first setting of each group, and the group's title.
GROUPS = {
    "livekit_url": "The parts",
    "sip_trunk_hostname": "The phone line",
    "api_key": "The API",
    "default_region": "What may be dialled",
    "inbound_per_minute": "Calls that come in",
    "num_agents": "How much at once, how long",
    "data_dir": "Files and logs",
    "azure_speech_key": "Speech and language models",
}
# The set-up writes these three into .env; they are the only ones a fleet cannot start without.
MADE_BY_SETUP = ("livekit_api_key", "livekit_api_secret", "api_key")

_SETTINGS_HEAD = """# Settings

Written from `config.py` by `python -m docs.generate`; a test compares.

Settings are environment variables; `.env` and `.env.local` in the project's folder are read too, the environment wins. They are
read once, when a process starts. An empty value counts as not set. A wrong value stops the process with one line that names it.
`./voicefleet config show` prints each setting, its value (secrets hidden) and where it came from.

`./voicefleet setup` writes `LIVEKIT_API_KEY`, `LIVEKIT_API_SECRET` and `API_KEY` into `.env`. Values printed in manuals
(`devkey`, `secret`, …) and a `LIVEKIT_API_SECRET` of fewer than 32 characters are refused."""

_EXAMPLE_HEAD = """# Copy to .env and fill in what you need; ./voicefleet setup adds the three keys below by itself.
# Written from config.py by `python -m docs.generate`. Every line with a value shows the default."""


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [_SETTINGS_HEAD]
    for title, fields in _groups():
        rows = [f"| {_names(name)} | {_default(info)} | {_described(info)} |" for name, info in fields]
        lines.append("\n".join([f"## {title}\n", "| name | default | what it is |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(lines) + "\n"


def env_example() -> str:
    """Return .env.example."""
    lines = [_EXAMPLE_HEAD]
    for title, fields in _groups():
        lines.append("\n".join([f"# --- {title}", *(_example(name, info) for name, info in fields)]))
    return "\n\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/call-states.md": drawing.page,
    "docs/settings.md": settings_page,
    ".env.example": env_example,
    "docs/command-line.md": reference.page,
    "docs/doctor.md": doctor_page.page,
    "docs/providers.md": vendor_page.page,
    "docs/silence.md": silence_page.page,
    "docs/personalities.md": personality_reference.page,
    "docs/personality.schema.json": personality_reference.schema_page,
}


def main(into: Path = PROJECT) -> None:
    for name, page in PAGES.items():
        (into / name).parent.mkdir(exist_ok=True)
        (into / name).write_text(page(), encoding="utf-8")
        print(name)


def _groups() -> Iterator[tuple[str, list[tuple[str, FieldInfo]]]]:
    title, fields = "", list[tuple[str, FieldInfo]]()
    for name, info in Settings.model_fields.items():
        if name in GROUPS:
            if fields:
                yield title, fields
            title, fields = GROUPS[name], []
        fields.append((name, info))
    yield title, fields


def _names(setting: str) -> str:
    first, *others = names_of(setting)
    return f"`{first}`" + (f" (also {', '.join(f'`{name}`' for name in others)})" if others else "")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "made by the set-up"
    value = _plain(info.default)
    return f"`{value}`" if value else "empty"


def _described(info: FieldInfo) -> str:
    return (info.description or "").replace("<", "&lt;")


def _example(setting: str, info: FieldInfo) -> str:
    name = names_of(setting)[0]
    value = "" if info.is_required() else _plain(info.default)
    mark = "" if setting in MADE_BY_SETUP else "# "
    return f"# {info.description}\n{mark}{name}={value}"


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main()
