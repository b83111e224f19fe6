"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from farm.database.columns import BIG, HASH, LONG_TEXT, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("hash", HASH, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("unused", BIG, nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_blob_unused", "blob", ["unused"], unique=False)
    op.create_table(
        "event",
        sa.Column("writer", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("kind", text(16), nullable=False),
        sa.Column("job", BIG, nullable=True),
        sa.Column("slave", text(32), nullable=True),
        sa.Column("data", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("writer", "seq"),
    )
    op.create_index("ix_event_at", "event", ["at"], unique=False)
    op.create_table(
        "invite",
        sa.Column("code", HASH, nullable=False),
        sa.Column("role", text(16), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "meta",
        sa.Column("key", text(64), nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "resultfile",
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("role", text(16), nullable=False),
        sa.Column("name", text(500), nullable=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("frame", BIG, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("attempt", "role", "name"),
    )
    op.create_index("ix_resultfile_hash", "resultfile", ["hash"], unique=False)
    op.create_index("result_job", "resultfile", ["job", "frame"], unique=False)
    op.create_table(
        "sequence",
        sa.Column("name", text(32), nullable=False),
        sa.Column("next", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "user",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", text(32), nullable=False),
        sa.Column("passphrase", text(200), nullable=False),
        sa.Column("role", text(16), nullable=False),
        sa.Column("quota", BIG, nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "deed",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("user", BIG, nullable=False),
        sa.Column("verb", text(32), nullable=False),
        sa.Column("job", BIG, nullable=True),
        sa.Column("detail", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["user"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deed_at", "deed", ["at"], unique=False)
    op.create_table(
        "job",
        sa.Column("number", BIG, nullable=False, autoincrement=False),
        sa.Column("owner", BIG, nullable=False),
        sa.Column("key", text(200), nullable=True),
        sa.Column("name", text(200), nullable=False),
        sa.Column("project", text(200), nullable=False),
        sa.Column("comment", LONG_TEXT, nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("pause_reason", text(16), nullable=True),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("requires", LONG_TEXT, nullable=False),
        sa.Column("pinned", text(32), nullable=False),
        sa.Column("settings", LONG_TEXT, nullable=False),
        sa.Column("limits", LONG_TEXT, nullable=False),
        sa.Column("source", text(1000), nullable=False),
        sa.Column("frames", LONG_TEXT, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("slaves", LONG_TEXT, nullable=False),
        sa.Column("not_slaves", LONG_TEXT, nullable=False),
        sa.Column("max_slaves", sa.Integer(), nullable=True),
        sa.Column("in_order", sa.Boolean(), nullable=False),
        sa.Column("approval", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("queued", BIG, nullable=True),
        sa.Column("started", BIG, nullable=True),
        sa.Column("ended", BIG, nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["user.id"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("owner", "key", name="job_key"),
    )
    op.create_index("ix_job_owner", "job", ["owner"], unique=False)
    op.create_index("job_active", "job", ["state", "priority", "number"], unique=False)
    op.create_table(
        "possession",
        sa.Column("user", BIG, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["blob.hash"]),
        sa.ForeignKeyConstraint(["user"], ["user.id"]),
        sa.PrimaryKeyConstraint("user", "hash"),
    )
    op.create_index("ix_possession_hash", "possession", ["hash"], unique=False)
    op.create_table(
        "slave",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", text(32), nullable=False),
        sa.Column("owner", BIG, nullable=False),
        sa.Column("key", text(64), nullable=False),
        sa.Column("password", HASH, nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("version", text(200), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("hardware", LONG_TEXT, nullable=False),
        sa.Column("offers", LONG_TEXT, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("seen", BIG, nullable=True),
        sa.Column("done", BIG, nullable=False),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_slave_owner", "slave", ["owner"], unique=False)
    op.create_index("ix_slave_state", "slave", ["state"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", BIG, nullable=False, autoincrement=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("frame", BIG, nullable=False),
        sa.Column("slave", BIG, nullable=False),
        sa.Column("lease", BIG, nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("issued", BIG, nullable=False),
        sa.Column("deadline", BIG, nullable=False),
        sa.Column("started", BIG, nullable=True),
        sa.Column("ended", BIG, nullable=True),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("seconds", BIG, nullable=True),
        sa.Column("cpu", BIG, nullable=True),
        sa.Column("load", BIG, nullable=True),
        sa.Column("memory", BIG, nullable=True),
        sa.Column("short", BIG, nullable=True),
        sa.Column("failure_class", text(16), nullable=True),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("log", LONG_TEXT, nullable=False),
        sa.Column("result", HASH, nullable=True),
        sa.Column("pixels", HASH, nullable=True),
        sa.Column("uniform", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.ForeignKeyConstraint(["slave"], ["slave.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempt_frame", "attempt", ["job", "frame"], unique=False)
    op.create_index("attempt_late", "attempt", ["state", "deadline"], unique=False)
    op.create_index("attempt_open", "attempt", ["slave", "state"], unique=False)
    op.create_table(
        "frame",
        sa.Column("job", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("picture", BIG, nullable=False),
        sa.Column("role", text(16), nullable=False),
        sa.Column("state", text(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("lease", BIG, nullable=True),
        sa.Column("result_attempt", BIG, nullable=True),
        sa.Column("seconds", BIG, nullable=True),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.PrimaryKeyConstraint("job", "number"),
    )
    op.create_index("frame_next", "frame", ["job", "state", "rank", "number"], unique=False)
    op.create_table(
        "jobfile",
        sa.Column("job", BIG, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("path", text(1000), nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("frames", LONG_TEXT, nullable=True),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.PrimaryKeyConstraint("job", "place"),
    )
    op.create_index("ix_jobfile_hash", "jobfile", ["hash"], unique=False)
    op.create_table(
        "pace",
        sa.Column("slave", BIG, nullable=False),
        sa.Column("job", BIG, nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("seconds", BIG, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.ForeignKeyConstraint(["slave"], ["slave.id"]),
        sa.PrimaryKeyConstraint("slave", "job"),
    )
    op.create_index("ix_pace_job", "pace", ["job"], unique=False)
    op.create_table(
        "tally",
        sa.Column("job", BIG, nullable=False),
        sa.Column("writer", BIG, nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("ready", sa.Integer(), nullable=False),
        sa.Column("leased", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("canceled", sa.Integer(), nullable=False),
        sa.Column("rendered", sa.Integer(), nullable=False),
        sa.Column("seconds", BIG, nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.number"]),
        sa.PrimaryKeyConstraint("job", "writer"),
    )
    op.create_table(
        "token",
        sa.Column("hash", HASH, nullable=False),
        sa.Column("user", BIG, nullable=True),
        sa.Column("slave", BIG, nullable=True),
        sa.Column("device", text(200), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("used", BIG, nullable=False),
        sa.ForeignKeyConstraint(["slave"], ["slave.id"]),
        sa.ForeignKeyConstraint(["user"], ["user.id"]),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_token_slave", "token", ["slave"], unique=False)
    op.create_index("ix_token_user", "token", ["user"], unique=False)
    sequences = sa.table("sequence", sa.column("name"), sa.column("next"))
    op.bulk_insert(sequences, [{"name": name, "next": 1} for name in ("job", "attempt", "lease", "writer")])


def downgrade() -> None:
    op.drop_table("token")
    op.drop_table("tally")
    op.drop_table("pace")
    op.drop_table("jobfile")
    op.drop_table("frame")
    op.drop_table("attempt")
    op.drop_table("slave")
    op.drop_table("possession")
    op.drop_table("job")
    op.drop_table("deed")
    op.drop_table("user")
    op.drop_table("sequence")
    op.drop_table("resultfile")
    op.drop_table("meta")
    op.drop_table("invite")
    op.drop_table("event")
    op.drop_table("blob")
