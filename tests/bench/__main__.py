"""Measure the product: `python -m tests.bench [PART …]`. Not a test: nothing fails by being slow."""

from __future__ import annotations

import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.bench import (
    choices,
    cluster,
    crowds,
    flood,
    footprint,
    frames,
    heavy,
    history,
    million,
    pages,
    rates,
    redraws,
    servers,
    serverside,
    thousands,
    travel,
)
from tests.bench.entry import Entry, save, show
from tests.bench.machine import conditions

PARTS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    "server": serverside.measured,
    "frames": frames.measured,
    "heavy-alone": heavy.alone,
    "heavy": heavy.by_farm,
    "travel": travel.measured,
    "redraws": redraws.measured,
    "crowds": crowds.measured,
    "servers": servers.measured,
    "flood": flood.measured,
    "footprint": footprint.measured,
    "pages": pages.measured,
    "rates": rates.measured,
    "mariadb": rates.on_mariadb,
    "two": rates.by_two,
    "history": history.measured,
    "long-history": history.long,
    "million": million.measured,
    "thousands": thousands.measured,
    "galera": cluster.measured,
    "choices": choices.measured,
}


def main(wanted: list[str]) -> None:
    """Run the parts, all by default; show and save what each measured as soon as it is there."""
    # So that a bench that is stopped takes its farm along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console, entries = Console(stderr=True), []
    console.print(f"{platform.platform()}, Python {platform.python_version()}")
    for part in wanted or PARTS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="distren-bench-") as folder:
            for entry in PARTS[part](Path(folder)):
                note = "; ".join(filter(None, [entry.note, conditions()]))
                entries.append(replace(entry, command=f"python -m tests.bench {part}", note=note))
                console.print(f"  {entry.name}: {entry.value:.4g} {entry.unit}")
                save(entries)
        console.print(f"{part}: {time.monotonic() - began:.0f} s")
    show(entries)


if __name__ == "__main__":
    main(sys.argv[1:])
