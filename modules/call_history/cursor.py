"""The opaque cursor of a list: the last call's place in the order, checked when it comes back.

The check sum tells a mangled cursor from a whole one. It is no secret: a cursor names a place and opens nothing.
"""

import base64
import binascii
import re
import zlib
from datetime import UTC, datetime, timedelta

from modules.calls.errors import InvalidField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SHAPE = re.compile(r"(v1\.(\d{1,17})\.([A-Za-z0-9_-]{1,80}))\.([0-9a-f]{8})", re.ASCII)


def pack(created_at: datetime, call_id: str) -> str:
    """Return the cursor that continues after this call."""
    plain = f"v1.{(created_at - _EPOCH) // _MICROSECOND}.{call_id}"
    return base64.urlsafe_b64encode(f"{plain}.{_sum(plain)}".encode()).decode().rstrip("=")


def unpack(cursor: str) -> tuple[datetime, str]:
    """Return the place that `pack` wrote. Raises InvalidField for anything else."""
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        found = _SHAPE.fullmatch(plain)
        if found and found[4] == _sum(found[1]):
            return _EPOCH + int(found[2]) * _MICROSECOND, found[3]
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise InvalidField("This cursor was not made here; use next_cursor of the page before.", field="cursor")


def _sum(plain: str) -> str:
    return f"{zlib.crc32(plain.encode()):08x}"
