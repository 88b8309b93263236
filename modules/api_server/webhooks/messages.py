"""A text message that comes back belongs to the last call with its number: an event of that call, and part of its transcript."""

from datetime import datetime, timedelta
from typing import Any

from modules.api_server.parts import Parts
from modules.api_server.webhooks.signed import Form
from modules.call_history import Filters
from modules.call_queue_manager import DoNotCall, Records
from modules.calls import Call, Direction, numbers
from modules.calls.errors import InvalidNumber, NotFound
from modules.calls.opt_out import asks_not_to_be_called
from modules.metrics_logger import get_logger

log = get_logger(__name__)

MESSAGE = "call.message"
"""The event. Data: direction, text, media (how many attachments), message_sid, at."""
BY_TEXT = "text_message"
"""Who put a number on the do-not-call list: its owner, by text message."""
_WINDOW = timedelta(days=29)
_LONGEST_TEXT = 1600
_CANDIDATES = 20


async def take_in(parts: Parts, form: Form, now: datetime) -> str | None:
    """Write an inbound message to the call it answers; return its id, or None where there is no such call.

    Whoever asks in it not to be called is put on that list, with a call or without. Twilio's own settings may know more words
    for that than we do, and tell so (OptOutType).

    Raises Unavailable. A call counts as long as Redis keeps it: RETENTION_S after its end.
    """
    try:
        number = numbers.parse(form.get("From", ""), parts.settings.default_region)
    except InvalidNumber:
        return None  # a short code, a name, another network's address
    live = await parts.live.get()
    if asks_not_to_be_called(form.get("Body", "")) or form.get("OptOutType") == "STOP":
        await live.durable()
        await DoNotCall(live.store).add(number, BY_TEXT)
        log.info("do_not_call.added", number=numbers.mask(number), source=BY_TEXT)
    message = {
        "direction": "inbound",
        "text": form.get("Body", "")[:_LONGEST_TEXT],
        "media": int(media) if (media := form.get("NumMedia", "0")).isdecimal() else 0,
        "message_sid": form.get("MessageSid", "")[:64],
        "at": now.isoformat(),
    }
    for call in await _with(parts, number, now):
        if await _written(live.records, call, message):
            return call.call_id
    return None


async def of(parts: Parts, call_id: str, *, live: bool) -> list[dict[str, Any]]:
    """Return the messages of a call, the oldest first: from Redis where it is `live` there, else from history."""
    if live:
        return await (await parts.live.get()).records.remarks(call_id, MESSAGE)
    timeline = await (await parts.past.get()).search.timeline(call_id)
    return [event.data for event in timeline if event.type == MESSAGE]


async def _with(parts: Parts, number: str, now: datetime) -> list[Call]:
    """The calls with `number` at the other end that have been dialled or came in, the newest first."""
    search = (await parts.past.get()).search
    page = await search.page(Filters(party=number, created_from=now - _WINDOW), limit=_CANDIDATES)
    return [call for call in page.calls if call.dials or call.direction is Direction.INBOUND]


async def _written(records: Records, call: Call, message: dict[str, Any]) -> bool:
    try:
        await records.remark(call.call_id, MESSAGE, message)
    except NotFound:
        return False
    return True
