"""What minutes of peers are worth, and what was taken back for false results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("peer", sa.Column("rate", sa.Integer, nullable=False, server_default="1000"))
    op.add_column("peer", sa.Column("probes", sa.Integer, nullable=False, server_default="0"))
    op.add_column("lentframe", sa.Column("worth", BIG, nullable=True))
    op.create_table(
        "takenback",
        sa.Column("peer", text(63), nullable=False),
        sa.Column("attempt", BIG, nullable=False, autoincrement=False),
        sa.Column("milli", BIG, nullable=False),
        sa.Column("why", text(500), nullable=False),
        sa.Column("receipt", text(128), nullable=False),
        sa.Column("signer", HASH, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("peer", "attempt"),
    )


def downgrade() -> None:
    op.drop_table("takenback")
    op.drop_column("lentframe", "worth")
    for name in ("probes", "rate"):
        op.drop_column("peer", name)
