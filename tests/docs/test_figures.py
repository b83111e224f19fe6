"""The figures in the documentation can be read back, so that those that were not measured again stay."""

from __future__ import annotations

import re
from pathlib import Path

from tests import bench
from tests.bench.__main__ import PARTS
from tests.bench.page import between, read, table
from tests.bench.plots import PAGE


def test_the_table_that_is_read_is_written_the_same_again() -> None:
    page = PAGE.read_text("utf-8")
    rows = list(read(page))
    assert len(rows) > 30
    assert between(page, table(rows, notes=True)) == page


def test_what_the_page_on_sizes_names_is_measured_by_what_it_says() -> None:
    page = (PAGE.parents[1] / "how-to" / "size-a-farm.md").read_text("utf-8")
    sources = "".join(file.read_text("utf-8") for file in Path(bench.__file__).parent.glob("*.py"))
    figures = set(re.findall("“([^”]+)” (?:in the table|of your database|has the bytes)", page))
    assert len(figures) >= 5
    known = PAGE.read_text("utf-8") + sources.replace("{SLAVES:,}", "10,000")
    assert [figure for figure in sorted(figures) if figure not in known] == []
    parts = {part for parts in re.findall('PARTS="?([a-z ]+)', page) for part in parts.split()}
    assert len(parts) >= 6
    assert parts <= PARTS.keys()
