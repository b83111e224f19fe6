"""Codes by which machines join."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "joincode",
        sa.Column("code", HASH, nullable=False),
        sa.Column("name", text(16), nullable=False),
        sa.Column("owner", BIG, nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["user.id"]),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_joincode_owner", "joincode", ["owner"], unique=False)


def downgrade() -> None:
    op.drop_table("joincode")
