"""`distren` with a clock that a simulation can set wrong: `python -m farm.cli.skewed FILE server …`."""

from __future__ import annotations

import sys
from pathlib import Path

from farm.cli.main import main as distren
from farm.simulator.wrongclock import clock_of
from farm.words import clock


def main() -> None:
    """Run the command line with a clock that is wrong."""
    with clock.driven(clock_of(Path(sys.argv.pop(1)))):
        distren()


if __name__ == "__main__":
    main()
