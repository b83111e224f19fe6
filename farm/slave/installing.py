"""Install one renderer, in a process of its own: `python -m farm.slave.installing` METHOD VERSION FOLDER LIMIT CACHE.

A process can be stopped with all that it started, in the middle of anything. What went
wrong is its last line, as JSON; `{}` if nothing did.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from farm.methods.registry import method
from farm.words.errors import DistrenError
from farm.words.logs import configure


def main(name: str, version: str, folder: str, limit: str, cache: str) -> None:
    """Install a renderer and say what came of it."""
    configure("json", "warning")
    said: dict[str, str] = {}
    try:
        method(name).install(version, Path(folder), int(limit), Path(cache))
    except (DistrenError, OSError) as error:
        said = {"message": str(getattr(error, "message", error)), "hint": str(getattr(error, "hint", ""))}
    sys.stdout.write(f"\n{json.dumps(said)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
