"""What people have slaves do, and what slaves' machines are busy with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "errand",
        sa.Column("id", BIG, nullable=False),
        sa.Column("slave", BIG, sa.ForeignKey("slave.id"), nullable=False),
        sa.Column("errand", text(16), nullable=False),
        sa.Column("seconds", BIG, nullable=False),
        sa.Column("by", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("stage", text(16), nullable=False),
        sa.Column("said", BIG, nullable=True),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("shown", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_errand_slave", "errand", ["slave"])
    numbers = ("at", "memory", "disk", "free", "cache")
    op.create_table(
        "sample",
        sa.Column("slave", BIG, sa.ForeignKey("slave.id"), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cpu", sa.Integer(), nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in numbers),
        sa.PrimaryKeyConstraint("slave", "place"),
    )
    op.add_column("slave", sa.Column("errand", text(200), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("slave") as batch:
        batch.drop_column("errand")
    op.drop_table("sample")
    op.drop_table("errand")
