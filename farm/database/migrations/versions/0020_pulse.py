"""How many frames were ever finished, minute by minute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "pulse",
        sa.Column("minute", BIG, autoincrement=False, nullable=False),
        sa.Column("rendered", BIG, nullable=False),
        sa.PrimaryKeyConstraint("minute"),
    )


def downgrade() -> None:
    op.drop_table("pulse")
