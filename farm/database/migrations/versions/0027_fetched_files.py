"""Which files of results were fetched: only those may be deleted by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("resultfile", sa.Column("fetched", BIG, nullable=True))


def downgrade() -> None:
    op.drop_column("resultfile", "fetched")
