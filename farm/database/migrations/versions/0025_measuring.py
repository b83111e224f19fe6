"""Slaves that are measured by themselves: which may be, why they were, and what was measured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import text

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("slave", sa.Column("benchmark", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("rating", sa.Column("cause", text(16), nullable=False, server_default="asked"))
    op.add_column("rating", sa.Column("machine", text(16), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("rating", "machine")
    op.drop_column("rating", "cause")
    op.drop_column("slave", "benchmark")
