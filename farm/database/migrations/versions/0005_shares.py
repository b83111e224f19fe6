"""What users and jobs have had of the farm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, REAL

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("tally", sa.Column("work", BIG, nullable=False, server_default="0"))
    op.create_table(
        "share",
        sa.Column("job", BIG, sa.ForeignKey("job.number"), nullable=False),
        sa.Column("era", BIG, nullable=False),
        sa.Column("writer", BIG, nullable=False),
        sa.Column("of_user", REAL, nullable=False),
        sa.Column("of_job", REAL, nullable=False),
        sa.Column("served", BIG, nullable=False),
        sa.PrimaryKeyConstraint("job", "era", "writer"),
    )
    op.create_index("share_era", "share", ["era"])


def downgrade() -> None:
    op.drop_table("share")
    with op.batch_alter_table("tally") as batch:
        batch.drop_column("work")
