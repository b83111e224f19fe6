"""When the steps of attempts were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("trace", text(400), nullable=True))
    op.add_column("attempt", sa.Column("fetched", BIG, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attempt") as batch:
        for name in ("trace", "fetched"):
            batch.drop_column(name)
