"""Column types that mean the same on SQLite and MariaDB."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, Integer, LargeBinary, String, Text
from sqlalchemy.dialects import mysql
from sqlmodel import Field

BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits. SQLite wants INTEGER for its row id, which has 64 bits anyway."""

REAL: Double[float] = Double()
"""64 bits, with 53 of precision; MariaDB's FLOAT has 24."""

HASH = LargeBinary(32).with_variant(mysql.BINARY(32), "mysql", "mariadb")
"""The 32 bytes of a SHA-256."""


def row_id() -> int | None:
    """Return the column of a row's number, which the database counts."""
    return Field(default=None, primary_key=True, sa_type=BIG)  # type: ignore[no-any-return]


def text(length: int) -> String:
    """Return text of at most `length` characters that is compared byte by byte.

    MariaDB's usual collation takes `a` and `A` for equal; `utf8mb4_bin` does not. It still
    takes `a` and `a ` for equal (it pads), so names must come without spaces at their ends.
    """
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
"""JSON and logs."""
