"""Slaves get the server's version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, text

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("slave", sa.Column("build", text(200), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("upgrade", text(1000), nullable=False, server_default=""))
    op.add_column("slave", sa.Column("upgrade_by", BIG, nullable=True))
    op.add_column("slave", sa.Column("upgrade_said", text(2000), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("slave") as batch:
        for name in ("upgrade_said", "upgrade_by", "upgrade", "build"):
            batch.drop_column(name)
