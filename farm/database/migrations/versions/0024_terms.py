"""On which terms owners lend their slaves, and to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, text

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("slave", sa.Column("terms", text(2000), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("accept", text(16), nullable=False, server_default="all"))
    op.create_table(
        "friend",
        sa.Column("user", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("friend", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.PrimaryKeyConstraint("user", "friend"),
    )
    op.create_index("ix_friend_friend", "friend", ["friend"])


def downgrade() -> None:
    op.drop_table("friend")
    for name in ("accept", "terms"):
        op.drop_column("slave", name)
