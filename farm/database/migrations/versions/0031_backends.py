"""What a frame was rendered on, how far cards are paid, since when a machine is as it is; which picture is checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, text

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("device", text(8), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("carded", BIG, nullable=False, server_default="0"))
    op.add_column("slave", sa.Column("changed", BIG, nullable=False, server_default="0"))
    op.add_column("spotcheck", sa.Column("name", text(500), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("spotcheck", "name")
    for name in ("changed", "carded"):
        op.drop_column("slave", name)
    op.drop_column("attempt", "device")
