"""Walks of artists who come to a farm otherwise: with an older add-on, in a Blender that may not use the network."""

from __future__ import annotations

import json
from pathlib import Path

from farm.client.farmclient import FarmClient
from farm.methods.base import Offered
from tests.blender_addon.walk import Walk
from tests.farm.artist import submit_unchecked
from tests.farm.farm import Farm

NEWER = "DISTREN_WINDOW_BLENDER"
"""The variable that names a program of Blender 4.2 or newer, with windows."""


class Return(Walk):
    """Somebody with an account comes back, with an older add-on; the newest job has failed."""

    def walk(self) -> None:
        """Go all the way: the window is as it was when the file was saved."""
        self.window.write("server", self.farm.url)
        self.window.press("Connect")
        self.window.until(lambda state: state["user"] == "mia", "mia is logged in still")
        state = self.window.until(lambda state: state["failures"], "it is known what failed")
        assert all(text.startswith("Frame") for told in state["failures"].values() for text in told)
        self.shot("addon-version", crop="452x232+828+365")
        self.window.to_the_end()
        self.shot("addon-failed", crop="452x360+828+480")


class Newcomer(Walk):
    """Somebody without an account comes, whose Blender asks for leave to use the network."""

    def walk(self) -> None:
        """Let Blender use the network."""
        assert self.window.state["online"] is False
        self.shot("addon-allow", crop="452x120+828+365")
        self.window.press("distren.allow_online")
        self.window.until(lambda state: state["online"], "Blender may use the network")


def fail(farm: Farm, home: Path, blend: Path, blender: Offered) -> None:
    """Let mia send half a file, past all that the add-on would have said; return when its job has failed."""
    logins = json.loads((home / ".config" / "distren" / "tokens.json").read_text())
    half = home / "half" / "shots" / "half.blend"
    half.parent.mkdir(parents=True)
    half.write_bytes(blend.read_bytes()[: blend.stat().st_size // 2])
    with FarmClient(farm.url, next(iter(logins["servers"].values()))["token"]) as client:
        job = submit_unchecked(client, half, blender)
        farm.until(lambda: client.job(job).state == "failed", 120, "the job has failed")
