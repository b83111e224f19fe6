"""In which answer attempts were issued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("seq", BIG, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attempt") as batch:
        batch.drop_column("seq")
