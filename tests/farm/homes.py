"""People and machines with homes of their own: what they run finds nothing of anybody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.farm.farm import PASSPHRASE


def home(folder: Path) -> dict[str, str]:
    """Return the variables that make a folder the home."""
    homes = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    return {**homes, "HOME": str(folder)}


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `distren` as somebody who has their home in this folder, where this thread is."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DISTREN_")}
    given = {**home(folder), "DISTREN_PASSPHRASE": PASSPHRASE.get_secret_value(), **variables}
    argv = [sys.executable, "-m", "farm.cli.main", *words]
    return subprocess.run(argv, env={**clean, **given}, capture_output=True, text=True, timeout=300, check=False)
