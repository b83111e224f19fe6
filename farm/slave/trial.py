"""Try this version before it takes over: `python -m farm.slave.trial` SETTINGS FOLDER.

The version that runs starts it, in the new one's files; so its arguments and its last line, JSON, must
mean the same in all versions: `{"build": …, "frames": […]}`, or `{"failed": why}`.

Args: SETTINGS, a file with the settings that were given to the slave, JSON without its password; FOLDER, for its work.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import farm.slave.run  # noqa: F401  the whole agent must be there, too
from farm.package.release import build
from farm.slave.folders import Folders
from farm.slave.testframe import rendered
from farm.words.errors import DistrenError
from farm.words.logs import configure
from farm.words.settings import SlaveSettings

_LINES = 3
"""How much of a renderer's last words is told: after the reason, Blender says where it was, and that it ends."""


def main(settings: str, folder: str) -> None:
    """Render the test frames, and say what came of it."""
    configure("json", "warning")
    sys.stdout.write(f"\n{json.dumps(_tried(Path(settings), Path(folder)))}\n")


def _tried(file: Path, folder: Path) -> dict[str, Any]:
    try:
        settings = SlaveSettings(**json.loads(file.read_text("utf-8")))
        slave, own = Folders.of(settings), Folders(folder / "work", folder / "state")
        own.state.mkdir(parents=True, exist_ok=True)
        if slave.known.exists():
            # What is known of renderers need not be found out again.
            shutil.copy(slave.known, own.known)
        frames = rendered(settings, own, slave.installed)
    except DistrenError as error:
        log = [line.strip() for line in str(error.facts.get("log", "")).splitlines() if line.strip()]
        return {"failed": " ".join(filter(None, (error.message, error.hint, *log[-_LINES:])))}
    except (ValueError, OSError) as error:
        return {"failed": str(error)}
    return {"build": build(), "frames": [str(frame) for frame in frames]}


if __name__ == "__main__":
    main(*sys.argv[1:])
