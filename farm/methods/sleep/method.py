"""The `sleep` render method."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from farm.methods.base import Launch, Launcher, MethodConfig, Offered, Sample
from farm.methods.child import ChildMethod, child
from farm.methods.sleep.describe import description
from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet, Offer
from farm.words.errors import BadSetting
from farm.words.ranges import FrameRange


class SleepMethod(ChildMethod):
    """Waits instead of rendering."""

    name = "sleep"

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        return description()

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the one renderer, which is this Python."""
        offer = Offer(method="sleep", version="1.0", detail="no renderer at all")
        return [Offered(offer, Launcher("python", Path(sys.executable)))]

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Return a frame that takes no time."""
        return Sample(settings={"seconds": 0})

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session."""
        settings = {name: _plain(name, value) for name, value in sheet.settings.items()}
        words = ("farm.methods.sleep.inside",)
        return child(words, sheet, root, scratch, settings=settings, persistent=True, relocate={})


def _plain(name: str, value: Any) -> Any:
    """Turn frame ranges into lists: what runs inside knows only the standard library."""
    if not name.endswith("_frames"):
        return value
    try:
        return list(FrameRange.parse(value, limit=100_000)) if value else []
    except (TypeError, AttributeError) as error:
        raise BadSetting(f"The setting {name} is no frame range.") from error


METHOD = SleepMethod()
