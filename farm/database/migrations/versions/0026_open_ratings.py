"""Benchmarks that go on are found without looking at those that are over."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_index("ix_rating_over", "rating", ["over"])


def downgrade() -> None:
    op.drop_index("ix_rating_over", "rating")
