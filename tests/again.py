"""Try once more, alone, the few tests that failed beside others: `python -m tests.again STATUS`.

The tests have real processes, sockets and disks, and share a machine whose load nobody knows. What
fails there and not alone is no reason to stop a landing, but it is named, and wants mending; what
fails alone, too, or in numbers, is broken.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console

FAILED = Path(".pytest_cache/v/cache/lastfailed")
SOME_TESTS_FAILED = 1
"""pytest's exit code for it; others mean that it could not run as it should."""
FEW = 5


def main(status: int, folder: Path) -> int:
    """Return the exit code of the whole run, whose first part ended with `status`."""
    known = json.loads((folder / FAILED).read_bytes()) if (folder / FAILED).exists() else {}
    failed = sorted(map(without_group, known))
    if status != SOME_TESTS_FAILED or not 0 < len(failed) <= FEW:
        return status
    console = Console(highlight=False)
    console.print(f"\nAlone, once more: {len(failed)} that failed beside others.")
    command = [sys.executable, "-m", "pytest", "-m", "not soak", *failed]
    if again := subprocess.run(command, cwd=folder, check=False).returncode:
        return again
    console.print("UNSTEADY, to be mended (failed beside others, passed alone):", *failed, sep="\n  ", markup=False)
    return 0


def without_group(address: str) -> str:
    """Return the address of a test as pytest knows it: xdist writes its group behind it (`@chromium`)."""
    return re.sub(r"@[^\]]*$", "", address)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path.cwd()))
