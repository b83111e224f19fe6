"""Versions of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("job", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("job", sa.Column("updates", BIG, nullable=True))
    op.create_table(
        "jobversion",
        sa.Column("job", BIG, sa.ForeignKey("job.number"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("frames", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("job", "version"),
    )


def downgrade() -> None:
    op.drop_table("jobversion")
    with op.batch_alter_table("job") as batch:
        batch.drop_column("updates")
        batch.drop_column("version")
