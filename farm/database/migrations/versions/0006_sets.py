"""Parameter sets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import LONG_TEXT, text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("job", sa.Column("sets", LONG_TEXT, nullable=True))
    op.add_column("frame", sa.Column("set", text(40), nullable=True))


def downgrade() -> None:
    for table, column in (("frame", "set"), ("job", "sets")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
