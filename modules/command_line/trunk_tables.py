"""How trunks, rules and changes to them are printed, for people and as JSON."""

from typing import Any

from modules.command_line.output import Output
from modules.sip_management.plan import Change
from modules.sip_management.redaction import lines, shown
from modules.sip_management.trunks import Trunk, transport

_PAST = {"create": "created", "update": "updated", "keep": "kept", "delete": "deleted"}


def tell(output: Output, changes: list[Change], problems: tuple[str, ...], *, done: bool) -> None:
    """Print what was done, or would be, and what cannot be."""
    if output.as_json:
        output.json({"done": done, "changes": [_change(change) for change in changes], "problems": list(problems)})
        return
    for change in changes:
        word = "refused" if change.refused else _PAST[change.doing] if done else change.doing
        output.line(f"{word:8} {change.noun} {change.name} {change.id}".rstrip(), "bold red" if change.refused else "")
        for line in [change.refused] if change.refused else lines(change):
            output.line(f"         {line}")
        if change.extra_ids:
            output.say(f"others of this name, left alone: {', '.join(change.extra_ids)}")
    for problem in problems:
        output.say(f"warning: {problem}", "yellow")


def _change(change: Change) -> dict[str, Any]:
    return {
        "noun": change.noun, "name": change.name, "id": change.id, "doing": change.doing, "fields": list(change.fields),
        "refused": change.refused or None, "extra_ids": list(change.extra_ids), "wanted": shown(change.thing),
    }  # fmt: skip


def described(trunk: Trunk) -> dict[str, Any]:
    """Return what `trunks status` says of one trunk."""
    preset = trunk.preset
    notes = [*(note.says for note in preset.quirks), *(f"not verified: {text}" for text in preset.unverified)] if preset else []
    return {
        "name": trunk.name, "hostname": trunk.hostname or trunk.stored_id, "carrier": trunk.carrier or "none (simulated)",
        "carrier_seen": preset.seen if preset else None, "transport": transport(trunk), "from_number": trunk.from_number,
        "notes": notes,
    }  # fmt: skip


def row(told: dict[str, Any]) -> tuple[str, ...]:
    """Return it as a row of a table."""
    return tuple(str(told[key]) for key in ("name", "hostname", "carrier", "transport", "from_number"))
