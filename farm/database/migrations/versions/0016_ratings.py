"""What slaves' power was measured at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "rating",
        sa.Column("job", BIG, autoincrement=False, nullable=False),
        sa.Column("slave", BIG, sa.ForeignKey("slave.id"), nullable=False),
        sa.Column("method", text(32), nullable=False),
        sa.Column("version", text(32), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("power", BIG, nullable=True),
        sa.Column("throughput", BIG, nullable=True),
        sa.Column("pixels", LONG_TEXT, nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("ix_rating_slave", "rating", ["slave"])


def downgrade() -> None:
    op.drop_table("rating")
