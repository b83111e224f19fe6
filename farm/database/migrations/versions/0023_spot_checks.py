"""Frames that are rendered once more elsewhere, to compare them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, LONG_TEXT, text

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "spotcheck",
        sa.Column("attempt", BIG, autoincrement=False, nullable=False),
        sa.Column("slave", BIG, sa.ForeignKey("slave.id"), nullable=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("frame", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("picture", HASH, nullable=True),
        sa.Column("tile", text(32), nullable=False),
        sa.Column("work", BIG, nullable=True),
        sa.Column("drawn", LONG_TEXT, nullable=False),
        sa.Column("said", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("attempt"),
    )
    op.create_index("ix_spotcheck_slave", "spotcheck", ["slave"])
    op.create_index("ix_spotcheck_picture", "spotcheck", ["picture"])
    op.create_index("ix_spotcheck_work", "spotcheck", ["work"])
    op.create_index("ix_spotcheck_state", "spotcheck", ["state"])


def downgrade() -> None:
    op.drop_table("spotcheck")
