"""How far slaves can be relied on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, REAL

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("slave", sa.Column("good", REAL, nullable=False, server_default="0"))
    op.add_column("slave", sa.Column("bad", REAL, nullable=False, server_default="0"))
    op.add_column("slave", sa.Column("judged", BIG, nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("judged", "bad", "good"):
        op.drop_column("slave", name)
