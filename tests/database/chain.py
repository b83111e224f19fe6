"""Fail if the migrations are no single chain: two branches of work chose one number, and no merge conflict told.

Part of `make lint`, so that it is found before a test run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.script import ScriptDirectory

import farm.database.migrations
from farm.database.migrations import HEAD


def faults() -> list[str]:
    """Return what is wrong with the chain, a sentence each."""
    folder = Path(farm.database.migrations.__file__).parent
    numbers = sorted(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        return [f"Two migrations have the number {number}: give the newer one the next." for number in twice]
    heads = ScriptDirectory(str(folder)).get_heads()
    return [] if heads == [HEAD] else [f"The chain ends at {', '.join(heads)}, but HEAD is {HEAD}."]


if __name__ == "__main__":
    sys.exit("\n".join(faults()) or None)
