"""Closed books: archives of the ledger's rows, and what they gave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "book",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("begun", BIG, nullable=False),
        *(sa.Column(name, BIG, nullable=True) for name in ("archived", "closed")),
        sa.Column("hash", HASH, nullable=True),
        *(sa.Column(name, BIG, nullable=False) for name in ("size", "entries", "milli")),
        *(sa.Column(name, BIG, nullable=True) for name in ("first", "last")),
        *(sa.Column(name, BIG, nullable=False) for name in ("cleared", "turns")),
    )
    op.create_table(
        "carried",
        sa.Column("account", BIG, nullable=False),
        sa.Column("kind", text(16), nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in ("milli", "entries", "paid")),
        sa.PrimaryKeyConstraint("account", "kind"),
    )
    op.add_column("job", sa.Column("book", BIG, nullable=True))
    op.create_index("ix_job_book", "job", ["book"])
    op.create_index("posting_job", "posting", ["job", "ref"])


def downgrade() -> None:
    op.drop_index("posting_job", "posting")
    op.drop_index("ix_job_book", "job")
    op.drop_column("job", "book")
    op.drop_table("carried")
    op.drop_table("book")
