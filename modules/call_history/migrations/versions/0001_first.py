"""Calls, attempts, turns, timeline, checkpoint, events set aside, API keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table; the recorder starts at the beginning of the stream."""
    _calls()
    _what_happened()
    _bookkeeping()
    op.execute("INSERT INTO checkpoints (name, position) VALUES ('events', '0')")


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sip_status_code", sa.Integer),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("dials", sa.Integer, nullable=False),
        sa.Column("to_number", sa.String(32), nullable=False),
        sa.Column("from_number", sa.String(32), nullable=False),
        sa.Column("personality", sa.Text, nullable=False),
        sa.Column("trunk", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("caller_folded", sa.Text, nullable=False),
        sa.Column("api_key_id", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("duration_s", sa.Float),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("export_due", sa.String(40)),
    )
    op.create_index("ix_calls_created", "calls", ["created_at", "call_id"])
    for name in ("state", "outcome", "to_number", "personality"):
        op.create_index(f"ix_calls_{name}", "calls", [name, "created_at"])
    op.create_index("ix_calls_export_due", "calls", ["export_due"])


def _what_happened() -> None:
    op.create_table(
        "attempts",
        sa.Column("call_id", sa.String(80), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("placing_at", _TIME),
        sa.Column("ringing_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("outcome", sa.String(32)),
        sa.Column("sip_status_code", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("room", sa.Text),
        sa.Column("worker_id", sa.Text),
    )
    op.create_table(
        "turns",
        sa.Column("call_id", sa.String(80), primary_key=True),
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("event_key", sa.String(40), nullable=False),
        sa.Column("speaker", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("latency_ms", sa.Float),
    )
    op.create_table(
        "events",
        sa.Column("call_id", sa.String(80), primary_key=True),
        sa.Column("event_key", sa.String(40), primary_key=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )


def _bookkeeping() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("position", sa.String(40), nullable=False),
    )
    op.create_table(
        "set_aside",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.String(32), nullable=False, unique=True),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("last_used_at", _TIME),
        sa.Column("revoked_at", _TIME),
    )
