"""The table of what we survive names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TABLE = Path("docs/explanation/what-we-survive.md")


def test_the_tests_that_the_table_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", TABLE.read_text()))
    assert len(named) > 50
    assert [path for path in sorted(named) if not Path(path).is_file()] == []
