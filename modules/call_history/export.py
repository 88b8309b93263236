"""Conversations as files: logs/<date>/<call_id>.json and .txt, written when a call has ended.

A disk that fails is reported and tried again later; the calls stay marked in SQL and recording goes on meanwhile.
"""

import asyncio
import json
import os
import re
import secrets
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from modules.call_history.database import History
from modules.call_history.model import Attempt, Turn
from modules.call_history.search import Search
from modules.call_history.tables import calls
from modules.calls import Call
from modules.calls.errors import Unavailable
from modules.calls.numbers import mask
from modules.metrics_logger import get_logger

log = get_logger("call_history")
TRY_AGAIN_S = 30.0
_AT_ONCE = 50
_MINTED = re.compile(r"(outbound|inbound)-\d{8}-\d{6}-[0-9a-f]{12}", re.ASCII)


class Exporter:
    """Writes the conversations that are marked for it. `wake` says that there may be some."""

    def __init__(self, history: History, logs_dir: Path) -> None:
        self._history = history
        self._search = Search(history)
        self._logs_dir = logs_dir
        self.wake = asyncio.Event()
        self.wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Write what is due, now and whenever woken, until `stop` is set."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(TRY_AGAIN_S):
                    await self.wake.wait()
            except TimeoutError:
                pass
            self.wake.clear()
            try:
                while await self.write_due():
                    pass
            except Unavailable as error:
                log.warning("history.export_waiting", why=error.message)
            except OSError as error:
                log.error("history.export_failed", error=type(error).__name__, why=error.strerror, folder=str(self._logs_dir))
            except Exception:
                log.exception("history.export_failed")

    async def write_due(self) -> int:
        """Write some of the conversations that are due; return how many. Raises OSError where the disk does not take them."""
        query = select(calls.c.call_id, calls.c.export_due).where(calls.c.export_due.is_not(None))
        async with self._history.read() as connection:
            due = (await connection.execute(query.order_by(calls.c.export_due).limit(_AT_ONCE))).all()
        for call_id, mark in due:
            if _MINTED.fullmatch(call_id):
                await self._write(call_id)
            else:
                log.error("history.export_refused", why="the call's id is not one of ours and may not become a file name")
            async with self._history.write() as connection:
                # Words that came meanwhile have set another mark; it stays.
                written = (calls.c.call_id == call_id) & (calls.c.export_due == mark)
                await connection.execute(update(calls).where(written).values(export_due=None))
        return len(due)

    async def _write(self, call_id: str) -> None:
        call = await self._search.call(call_id)
        attempts = await self._search.attempts(call_id)
        turns = await self._search.transcript(call_id)
        folder = self._logs_dir / f"{call.created_at:%Y-%m-%d}"
        files = {
            folder / f"{call_id}.json": _as_json(call, attempts, turns),
            folder / f"{call_id}.txt": as_text(call, turns),
        }
        for path, content in files.items():
            await asyncio.to_thread(_write_whole, path, content)
        log.info("history.exported", call_id=call_id, turns=len(turns))


def as_text(call: Call, turns: tuple[Turn, ...]) -> str:
    """Return the conversation as a person reads it; phone numbers in the head are masked."""
    talked = call.ended_at - call.answered_at if call.ended_at and call.answered_at else None
    head = {
        "call": call.call_id,
        "to": mask(call.to_number),
        "from": mask(call.from_number),
        "personality": call.personality,
        "arm": call.arm,
        "trunk": f"{call.trunk} (simulated)" if call.simulated else call.trunk,
        "created": _moment(call.created_at),
        "answered": _moment(call.answered_at),
        "ended": _moment(call.ended_at),
        "talked": f"{talked.total_seconds():.0f} s" if talked else "",
        "outcome": call.outcome.value if call.outcome else "",
        "reason": call.reason,
    }
    lines = [f"{name + ':':<13}{_one_line(text)}" for name, text in head.items() if text]
    lines.append("")
    lines += [_spoken(turn) for turn in turns] or ["(nobody spoke)"]
    return "\n".join(lines) + "\n"


def _spoken(turn: Turn) -> str:
    minutes, seconds = divmod(max(turn.start_s, 0.0), 60)
    broken_off = " [interrupted]" if turn.interrupted else ""
    return f"{int(minutes):02d}:{seconds:04.1f}  {turn.speaker + ':':<8} {_one_line(turn.text)}{broken_off}"


def _one_line(text: str) -> str:
    """Nobody can speak a line of their own into the file: white space becomes a space, other control characters go."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _as_json(call: Call, attempts: tuple[Attempt, ...], turns: tuple[Turn, ...]) -> str:
    content = {
        "call": call.to_json(),
        "attempts": [_without_id(attempt) for attempt in attempts],
        "transcript": [_without_id(turn) for turn in turns],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _without_id(item: Attempt | Turn) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(item).items()
        if name != "call_id"
    }


def _write_whole(path: Path, content: str) -> None:
    """Write a file that is either there as a whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
