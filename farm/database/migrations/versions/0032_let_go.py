"""When a job's files were let go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("job", sa.Column("let_go", BIG, nullable=True))


def downgrade() -> None:
    op.drop_column("job", "let_go")
