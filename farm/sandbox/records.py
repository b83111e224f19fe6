"""Which processes a slave started, on disk: so that the next start finds what a killed one left."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from farm.sandbox import tree


class Records:
    """One small file per running process tree, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, identity: tree.Identity) -> None:
        """Note a process that was started."""
        text = json.dumps({"pid": identity.pid, "started": identity.started, "token": identity.token})
        self._path(identity).write_text(text, encoding="utf-8")

    def remove(self, identity: tree.Identity) -> None:
        """Forget a process that ended."""
        self._path(identity).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Kill all noted trees; return how many were still there."""
        found = 0
        for path in self.folder.glob("*.json"):
            identity = _read(path)
            if identity is not None and tree.members(identity):
                tree.kill(identity)
                found += 1
            path.unlink(missing_ok=True)
        return found

    def _path(self, identity: tree.Identity) -> Path:
        return self.folder / f"{identity.pid}.json"


def _read(path: Path) -> tree.Identity | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(path.read_text(encoding="utf-8"))
        return tree.Identity(int(data["pid"]), float(data["started"]), str(data["token"]))
    return None
