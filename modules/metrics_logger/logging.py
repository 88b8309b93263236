"""One way to log for the whole fleet: an event name plus fields, as JSON or for a console, on standard error.

Lines of other libraries pass through the same door. Their text is not ours, so phone numbers in it are masked; what people
say goes only under keys that start with `pii.`, which are dropped unless somebody asks for them.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

from modules.calls.numbers import mask

# As people and programs write them: "+12025550100", "+1 (202) 555-0100", "sip:12025550100@…".
_NUMBER = re.compile(r"\+\d(?:[ .\-/()]{0,2}\d){7,14}|(?<=sip:)\d{8,15}|(?<=sips:)\d{8,15}|(?<=tel:)\d{8,15}")
# structlog's own entries, taken out again by remove_processors_meta.
_META = frozenset({"_record", "_from_structlog"})


def configure(log_format: str, level: str) -> None:
    """Send all logs of this process to standard error. `log_format` is "json" or "console"."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        keep_private,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    sys.excepthook = _crashed
    for noisy in ("asyncio", "aiosqlite", "httpcore2", "httpx2", "aiohttp.access", "livekit", "livekit.agents"):
        logging.getLogger(noisy).setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of a process that breaks down pass through the same door as all others."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        get_logger("process").critical("process.crashed", exc_info=(kind, error, trace))


def get_logger(name: str) -> Any:
    """Return the logger of one module."""
    return structlog.get_logger(name)


def keep_private(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what people said and mask every phone number in the rest (a structlog processor)."""
    return {key: value if key in _META else _masked(value) for key, value in event.items() if not key.startswith("pii.")}


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _NUMBER.sub(lambda found: mask(found.group()), value)
    if isinstance(value, dict):
        return {_masked(str(key)): _masked(inner) for key, inner in value.items() if not str(key).startswith("pii.")}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return _masked(repr(value))
