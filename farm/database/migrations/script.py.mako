"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, LONG_TEXT, text

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
