"""Slaves that servers lend each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("peer", sa.Column("place", sa.Integer, nullable=False, server_default="0"))
    for name in ("lends", "borrows"):
        op.add_column("peer", sa.Column(name, LONG_TEXT, nullable=True))
    conn = op.get_bind()
    for place, name in enumerate(conn.execute(sa.text("SELECT name FROM peer ORDER BY name")).scalars().all(), 1):
        conn.execute(sa.text("UPDATE peer SET place = :place WHERE name = :name"), {"place": place, "name": name})
    op.create_table(
        "lentframe",
        sa.Column("peer", text(63), nullable=False),
        sa.Column("attempt", BIG, nullable=False, autoincrement=False),
        sa.Column("cpu", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("peer", "attempt"),
    )
    op.create_table(
        "peerday",
        sa.Column("peer", text(63), nullable=False),
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.PrimaryKeyConstraint("peer", "day"),
    )


def downgrade() -> None:
    op.drop_table("peerday")
    op.drop_table("lentframe")
    for name in ("borrows", "lends", "place"):
        op.drop_column("peer", name)
