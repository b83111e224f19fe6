"""Frames that depend on frames, and what part of a picture a frame is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("job", sa.Column("depends", LONG_TEXT, nullable=True))
    op.add_column("frame", sa.Column("tile", text(32), nullable=True))
    op.create_table(
        "dependency",
        sa.Column("job", BIG, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("frames", LONG_TEXT, nullable=False),
        sa.Column("first", BIG, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("server", text(63), nullable=False),
        sa.Column("on_job", BIG, nullable=False),
        sa.Column("needs", LONG_TEXT, nullable=False),
        sa.Column("each", sa.Boolean(), nullable=False),
        sa.Column("watch", BIG, nullable=True),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.PrimaryKeyConstraint("job", "place"),
    )
    op.create_index("dependency_watch", "dependency", ["on_job", "watch"], unique=False)
    op.create_table(
        "ripple",
        sa.Column("id", BIG, nullable=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("verb", text(16), nullable=False),
        sa.Column("frames", LONG_TEXT, nullable=False),
        sa.Column("reason", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("ripple")
    op.drop_table("dependency")
    with op.batch_alter_table("frame") as batch:
        batch.drop_column("tile")
    with op.batch_alter_table("job") as batch:
        batch.drop_column("depends")
