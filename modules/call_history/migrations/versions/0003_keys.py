"""Which keys a turn was, where somebody pressed keys instead of speaking; "" for words, which all turns before this were."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("turns", sa.Column("keys", sa.Text, nullable=False, server_default=""))
