"""What is left to do to a job's frames."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import LONG_TEXT

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("job", sa.Column("unfinished", LONG_TEXT, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("job") as batch:
        batch.drop_column("unfinished")
