"""What peers signed that they owe for frames."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("lentframe", sa.Column("milli", BIG, nullable=True))
    op.add_column("lentframe", sa.Column("receipt", text(128), nullable=False, server_default=""))
    op.add_column("lentframe", sa.Column("signer", HASH, nullable=True))


def downgrade() -> None:
    for name in ("signer", "receipt", "milli"):
        op.drop_column("lentframe", name)
