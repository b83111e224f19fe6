"""Points: the ledger, what accounts have, what slaves' CPU-seconds are worth, boosts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "posting",
        sa.Column("kind", text(16), nullable=False),
        sa.Column("ref", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("giver", BIG, nullable=False),
        sa.Column("taker", BIG, nullable=False),
        sa.Column("milli", BIG, nullable=False),
        sa.Column("job", BIG, nullable=True),
        sa.Column("frame", BIG, nullable=True),
        sa.Column("slave", BIG, nullable=True),
        sa.Column("inputs", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "ref"),
    )
    op.create_index("posting_taker", "posting", ["taker", "at"])
    op.create_index("posting_giver", "posting", ["giver", "at"])
    op.create_table(
        "balance",
        sa.Column("account", BIG, nullable=False),
        sa.Column("writer", BIG, nullable=False),
        sa.Column("milli", BIG, nullable=False),
        sa.Column("earned", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account", "writer"),
    )
    op.add_column("slave", sa.Column("powers", text(1000), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("paid", BIG, nullable=False, server_default="0"))
    op.add_column("user", sa.Column("spent", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("job", sa.Column("boost", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("user") as batch:
        batch.drop_column("spent")
    with op.batch_alter_table("job") as batch:
        batch.drop_column("boost")
    with op.batch_alter_table("slave") as batch:
        batch.drop_column("paid")
        batch.drop_column("powers")
    op.drop_table("balance")
    op.drop_table("posting")
