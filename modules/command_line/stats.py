"""`stats`: personalities and the arms of splits side by side, through the API."""

from datetime import datetime
from typing import Annotated, Any

import typer

from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

_COLUMNS = ("personality", "arm", "calls", "answered", "completed", "talked", "turns", "answer after", "outcomes")
_NONE = "–"
Since = Annotated[datetime | None, typer.Option("--from", help="Only calls accepted since (local time).", show_default=False)]
Before = Annotated[datetime | None, typer.Option("--before", help="Only calls accepted before (local time).", show_default=False)]


def stats(
    personality: Annotated[str | None, typer.Option("--personality", "-p", help="Only this personality or split.")] = None,
    trunk: Annotated[str | None, typer.Option(help="Only calls over this trunk.")] = None,
    since: Since = None,
    before: Before = None,
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Compare personalities and the arms of splits: how many answered, how many completed, how long, how fast.

    Shares come with the range that holds the true one with 95 % confidence; where the ranges of two arms overlap widely, it is
    too early to choose. Times are medians (means in brackets).

    Example: ./voicefleet stats --personality gym_ab --from 2026-11-01
    """
    output = Output(as_json=as_json)
    times = {"created_from": since, "created_before": before}
    filters = {name: moment.astimezone().isoformat() for name, moment in times.items() if moment}

    async def work() -> None:
        async with client(api_url) as api:
            found = await api.stats(personality=personality, trunk=trunk, **filters)
        if as_json:
            output.json(found)
        elif found["rows"]:
            output.table(_COLUMNS, [_row(row) for row in found["rows"]])
        else:
            output.say("no calls in this range")

    run(work(), output)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    mixed = f" ({row['versions']} versions)" if row["versions"] > 1 else ""
    ends = [f"{count} {name}" for name, count in row["outcomes"].items()]
    ends += [f"{row['calls'] - row['ended']} not over"] if row["calls"] > row["ended"] else []
    latency = {
        name: value / 1000 if name != "count" and value is not None else value for name, value in row["latency_ms"].items()
    }
    return (
        row["personality"], row["arm"] + mixed, str(row["calls"]), _share(row["answered"]), _share(row["completed"]),
        _spread(row["talk_s"], " s", 0), _spread(row["turns"], "", 0), _spread(latency, " s", 2), ", ".join(ends),
    )  # fmt: skip


def _share(found: dict[str, Any]) -> str:
    """E.g. "75 % of 40 (60–86 %)"."""
    if found["share"] is None:
        return _NONE
    return f"{found['share']:.0%} of {found['of']} ({found['low'] * 100:.0f}–{found['high']:.0%})".replace("%", " %")


def _spread(found: dict[str, Any], unit: str, digits: int) -> str:
    """E.g. "31 s (35) of 40"."""
    if not found["count"]:
        return _NONE
    return f"{found['median']:.{digits}f}{unit} ({found['mean']:.{digits}f}) of {found['count']}"
