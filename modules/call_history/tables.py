"""The tables as SQLAlchemy Core sees them. How they came to be is in migrations/; a test compares the two.

Nothing here reads or writes. Times are aware UTC on both databases; folded columns are casefolded text for searching.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware datetime. SQLite has no time zones, so there it is written as UTC and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime; nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


calls = Table(
    "calls",
    metadata,
    Column("call_id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("direction", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("outcome", String(32)),
    Column("reason", Text, nullable=False),
    Column("sip_status_code", Integer),
    Column("attempt", Integer, nullable=False),
    Column("dials", Integer, nullable=False),
    Column("to_number", String(32), nullable=False),
    Column("from_number", String(32), nullable=False),
    Column("personality", Text, nullable=False),
    Column("arm", Text, nullable=False, server_default=""),
    Column("trunk", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("caller_folded", Text, nullable=False),
    Column("api_key_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("duration_s", Float),
    Column("record", JSON, nullable=False),
    Column("export_due", String(40)),
    Index("ix_calls_created", "created_at", "call_id"),
    Index("ix_calls_state", "state", "created_at"),
    Index("ix_calls_outcome", "outcome", "created_at"),
    Index("ix_calls_to_number", "to_number", "created_at"),
    Index("ix_calls_personality", "personality", "created_at"),
    Index("ix_calls_export_due", "export_due"),
)
"""One row per call. `record` is the whole call; `export_due` is set while its conversation waits to be written to disk."""

attempts = Table(
    "attempts",
    metadata,
    Column("call_id", String(80), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("placing_at", Moment),
    Column("ringing_at", Moment),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", String(32)),
    Column("sip_status_code", Integer),
    Column("reason", Text, nullable=False),
    Column("room", Text),
    Column("worker_id", Text),
)
"""One row per placing of a call."""

turns = Table(
    "turns",
    metadata,
    Column("call_id", String(80), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("event_key", String(40), nullable=False),
    Column("speaker", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("latency_ms", Float),
    Column("keys", Text, nullable=False, server_default=""),
)
"""What was said, or pressed. Seconds count from the answer."""

events = Table(
    "events",
    metadata,
    Column("call_id", String(80), primary_key=True),
    Column("event_key", String(40), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", JSON, nullable=False),
)
"""The call's timeline without the words. `event_key` is the stream's id, padded so that text order is stream order."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("position", String(40), nullable=False),
)
"""How far the event stream has been recorded; written in the same transaction as the rows."""

set_aside = Table(
    "set_aside",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
"""Events that could not be recorded, as they were, for a person to look at."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", String(32), nullable=False, unique=True),
    Column("salt", String(32), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)
"""Who may use the API. The key itself is nowhere; see api_keys.py."""
