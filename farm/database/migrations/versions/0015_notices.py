"""Notifications: who wants to hear of what, and what is still to be said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, LONG_TEXT, text

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("user", BIG, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("address", text(1000), nullable=False),
        sa.Column("about", text(100), nullable=False),
        sa.Column("secret", text(64), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("said", LONG_TEXT, nullable=False),
        sa.Column("tried", BIG, nullable=True),
    )
    op.create_index("ix_subscription_user", "subscription", ["user"])
    op.create_table(
        "notice",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("subscription", BIG, sa.ForeignKey("subscription.id"), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("due", BIG, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("about", text(16), nullable=False),
        sa.Column("title", text(400), nullable=False),
        sa.Column("body", LONG_TEXT, nullable=False),
        sa.Column("path", text(200), nullable=False),
    )
    op.create_index("ix_notice_subscription", "notice", ["subscription"])
    op.create_index("ix_notice_due", "notice", ["due"])


def downgrade() -> None:
    op.drop_table("notice")
    op.drop_table("subscription")
