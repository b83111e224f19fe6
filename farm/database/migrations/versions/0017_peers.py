"""Other servers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, LONG_TEXT, text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "peer",
        sa.Column("name", text(63), nullable=False),
        sa.Column("url", text(1000), nullable=False),
        sa.Column("key", HASH, nullable=False),
        sa.Column("knows", HASH, nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("sees_all", sa.Boolean(), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("version", text(200), nullable=False),
        sa.Column("methods", LONG_TEXT, nullable=False),
        sa.Column("seen", BIG, nullable=True),
        sa.Column("away", BIG, nullable=True),
        sa.Column("latency", BIG, nullable=True),
        sa.Column("error", LONG_TEXT, nullable=False),
        sa.Column("erred", BIG, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "peerinvite",
        sa.Column("code", HASH, nullable=False),
        sa.Column("name", text(63), nullable=False),
        sa.Column("sees_all", sa.Boolean(), nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.Column("key", HASH, nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "peernonce",
        sa.Column("peer", text(63), nullable=False),
        sa.Column("nonce", text(64), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("peer", "nonce"),
    )
    op.create_index("ix_peernonce_at", "peernonce", ["at"])


def downgrade() -> None:
    op.drop_table("peernonce")
    op.drop_table("peerinvite")
    op.drop_table("peer")
