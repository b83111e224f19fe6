"""Ask a POV-Ray for its version."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SECONDS = 60.0
"""The longest that a trial may take: a cold start from a slow disk, not more."""

_VERSION = re.compile(r"POV-Ray (?:version )?(\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)


def version_of(program: Path) -> str:
    """Return a POV-Ray's version as it says it, with at most three numbers; empty: it is none."""
    try:
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search((said.stdout + said.stderr).decode("utf-8", "replace"))
    return found[1] if found else ""
