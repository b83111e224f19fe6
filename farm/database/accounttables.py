"""The tables of people: users, invites, join codes, tokens, and who did what."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from farm.database.columns import BIG, HASH, LONG_TEXT, REAL, row_id, text


class User(SQLModel, table=True):
    """A person. `quota` in bytes of stored blobs; `spent`: how often points were spent, a turnstile for spending.

    `weight`: an admin's word on how much more of the farm is theirs; `slots`: how many they may hold; None: as others.
    `recovery`: the hash of a code by which they may choose a new passphrase until `recovery_until`.
    """

    id: int | None = row_id()
    name: str = Field(sa_type=text(32), unique=True)
    passphrase: str = Field(sa_type=text(200))
    role: str = Field(sa_type=text(16))
    quota: int = Field(sa_type=BIG)
    created: int = Field(sa_type=BIG)
    spent: int = 0
    disabled: bool = False
    weight: float = Field(default=1.0, sa_type=REAL)
    slots: int | None = None
    recovery: bytes | None = Field(default=None, sa_type=HASH)
    recovery_until: int | None = Field(default=None, sa_type=BIG)


class Invite(SQLModel, table=True):
    """A code that admits new users; only its hash is kept."""

    code: bytes = Field(primary_key=True, sa_type=HASH)
    role: str = Field(sa_type=text(16))
    uses: int
    expires: int = Field(sa_type=BIG)


class JoinCode(SQLModel, table=True):
    """A code that makes slaves of its owner's; only its secret's hash is kept. `machines`: how many may still use it.

    `name` is what people call it by, to revoke it.
    """

    code: bytes = Field(primary_key=True, sa_type=HASH)
    name: str = Field(sa_type=text(16), unique=True)
    owner: int = Field(sa_type=BIG, foreign_key="user.id", index=True)
    machines: int
    expires: int = Field(sa_type=BIG)


class Token(SQLModel, table=True):
    """A login of a user, or of a slave. Only the token's hash is kept."""

    hash: bytes = Field(primary_key=True, sa_type=HASH)
    user: int | None = Field(default=None, sa_type=BIG, foreign_key="user.id", index=True)
    slave: int | None = Field(default=None, sa_type=BIG, foreign_key="slave.id", index=True)
    device: str = Field(sa_type=text(200))
    created: int = Field(sa_type=BIG)
    used: int = Field(sa_type=BIG)


class Deed(SQLModel, table=True):
    """What a user did to another's job, or an admin to the farm."""

    id: int | None = row_id()
    at: int = Field(sa_type=BIG, index=True)
    user: int = Field(sa_type=BIG, foreign_key="user.id")
    verb: str = Field(sa_type=text(32))
    job: int | None = Field(default=None, sa_type=BIG)
    detail: str = Field(default="", sa_type=LONG_TEXT)
