"""Which arm of a split spoke; "" for calls that named a personality, which all calls before this did."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("calls", sa.Column("arm", sa.Text, nullable=False, server_default=""))
