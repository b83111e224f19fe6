"""The figures in the documentation can be read back, so that those that were not measured again stay."""

from __future__ import annotations

from tests.bench.page import between, read, table
from tests.bench.plots import PAGE


def test_the_table_that_is_read_is_written_the_same_again() -> None:
    page = PAGE.read_text("utf-8")
    rows = list(read(page))
    assert len(rows) > 30
    assert between(page, table(rows, notes=True)) == page
