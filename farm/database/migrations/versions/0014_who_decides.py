"""Admins' words on jobs, why attempts were made, users who are kept out or have forgotten their passphrase."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, text

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("job", sa.Column("rush", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("attempt", sa.Column("chosen", text(200), nullable=False, server_default=""))
    op.add_column("user", sa.Column("disabled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("user", sa.Column("recovery", HASH, nullable=True))
    op.add_column("user", sa.Column("recovery_until", BIG, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user") as batch:
        batch.drop_column("recovery_until")
        batch.drop_column("recovery")
        batch.drop_column("disabled")
    with op.batch_alter_table("attempt") as batch:
        batch.drop_column("chosen")
    with op.batch_alter_table("job") as batch:
        batch.drop_column("rush")
