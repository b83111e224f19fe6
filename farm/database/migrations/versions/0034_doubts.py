"""Doubts about what a slave drew, and builds of renderers that admins trust."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("spotcheck", sa.Column("other", HASH, nullable=True))
    op.add_column("spotcheck", sa.Column("build", text(300), nullable=False, server_default=""))
    op.create_index("ix_spotcheck_other", "spotcheck", ["other"])
    op.create_table(
        "trustedbuild",
        sa.Column("owner", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("build", text(300), nullable=False),
        sa.Column("by", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("owner", "build"),
    )


def downgrade() -> None:
    op.drop_table("trustedbuild")
    op.drop_index("ix_spotcheck_other", "spotcheck")
    op.drop_column("spotcheck", "build")
    op.drop_column("spotcheck", "other")
