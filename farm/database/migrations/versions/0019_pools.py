"""Pools, tags, and what an admin says of a user's share."""

import sqlalchemy as sa
from alembic import op

from farm.database.columns import LONG_TEXT, REAL, text

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "pool",
        sa.Column("name", text(32), nullable=False),
        sa.Column("users", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("slave", sa.Column("tags", text(1000), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("pool", text(32), nullable=False, server_default=""))
    op.add_column("user", sa.Column("weight", REAL, nullable=False, server_default="1"))
    op.add_column("user", sa.Column("slots", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "slots")
    op.drop_column("user", "weight")
    op.drop_column("slave", "pool")
    op.drop_column("slave", "tags")
    op.drop_table("pool")
