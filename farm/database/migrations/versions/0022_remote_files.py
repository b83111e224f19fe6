"""Files of other servers' frames, for frames here that wait for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "remotefile",
        sa.Column("server", text(63), nullable=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("frame", BIG, nullable=False),
        sa.Column("name", text(500), nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.PrimaryKeyConstraint("server", "job", "frame", "name"),
    )
    op.create_index("ix_remotefile_hash", "remotefile", ["hash"])


def downgrade() -> None:
    op.drop_table("remotefile")
