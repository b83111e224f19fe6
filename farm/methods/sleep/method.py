"""The `sleep` render method."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import farm
from farm.methods.base import Device, Launch, Launcher, MethodConfig, Offered, Sample, needs_of_python
from farm.methods.sleep.describe import description
from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet, Offer
from farm.words.errors import BadSetting, NotASetup
from farm.words.ranges import FrameRange

_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


class SleepMethod:
    """Waits instead of rendering."""

    name = "sleep"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return description()

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the one renderer, which is this Python."""
        offer = Offer(method="sleep", version="1.0", detail="no renderer at all")
        return [Offered(offer, Launcher("python", Path(sys.executable)))]

    def installs(self) -> list[str]:
        """Return nothing: it is always here."""
        return []

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Refuse.

        Raises:
            NotASetup: always.
        """
        raise NotASetup("There is nothing to install for the method sleep.")

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Return nothing: it uses no card."""
        return ""

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Return a frame that takes no time."""
        return Sample(settings={"seconds": 0})

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session."""
        # The package's own folder goes first, so that another working folder finds the same code.
        home = str(Path(farm.__file__).parent.parent)
        env = {k: os.environ[k] for k in _KEPT if k in os.environ} | {"PYTHONPATH": home, "PYTHONUNBUFFERED": "1"}
        opening = {
            "do": "open",
            "source": str(root / sheet.source) if sheet.source else "",
            "root": str(root),
            "settings": {k: _plain(k, v) for k, v in sheet.settings.items()},
            "persistent": True,
            "relocate": {},
        }
        needs = (*needs_of_python(offered.launcher.program), Path(farm.__file__).parent)
        argv = [str(offered.launcher.program), "-m", "farm.methods.sleep.inside"]
        return Launch(argv, env, scratch, opening, needs)


def _plain(name: str, value: Any) -> Any:
    """Turn frame ranges into lists: what runs inside knows only the standard library."""
    if not name.endswith("_frames"):
        return value
    try:
        return list(FrameRange.parse(value, limit=100_000)) if value else []
    except (TypeError, AttributeError) as error:
        raise BadSetting(f"The setting {name} is no frame range.") from error
