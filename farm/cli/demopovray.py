"""The demo's second job: a POV-Ray scene, where POV-Ray is installed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import farm.methods.povray
from farm.cli.draft import Draft
from farm.cli.output import notice
from farm.cli.sources import draft_for
from farm.methods.base import MethodConfig
from farm.methods.registry import method
from farm.words.settings import ClientSettings

LAST = 48
"""The animation's last frame: there the scene has turned once."""

FRAMES = f"1-{LAST}x4"
"""What the demo renders of it, if nobody says."""

_SCENE = Path(farm.methods.povray.__file__).parent / "demo.pov"


def povray_draft(frames: str | None, settings: ClientSettings) -> Draft | None:
    """Return the job; None if there is no POV-Ray here, which is said."""
    if not method("povray").offers(MethodConfig()):
        notice("POV-Ray is not installed here (Debian: sudo apt-get install povray): the demo shows Blender only.")
        return None
    wishes = {"width": 480, "height": 270, "antialiasing": True}
    wishes |= {"initial_frame": 1, "final_frame": LAST, "cyclic": True}
    values: dict[str, Any] = {"name": "demo POV-Ray", "project": "demo"}
    return draft_for(
        _SCENE, "povray", frames or FRAMES, wishes, values, newer=False, settings=settings, kept=ExitStack()
    )
