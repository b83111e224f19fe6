"""Into how many tiles pictures are cut: as a person says, or by what they took before."""

from __future__ import annotations

import math

from blender_addon import tiling
from farm.cli.draft import Draft
from farm.client.farmclient import FarmClient
from farm.words.errors import BadSetting
from farm.words.states import JobState


def grid_for(wish: str, client: FarmClient, draft: Draft) -> str:
    """Return the tiles that a person wants; an empty text: the whole.

    `auto` goes by the newest job of the same name and method that is done.

    Raises:
        BadSetting: these are no tiles.
    """
    if wish != tiling.AUTO:
        try:
            tiling.grid(wish)
        except ValueError as error:
            raise BadSetting(f"--tiles: {error}") from error
        return wish
    seconds = _measured(client, str(draft.values["name"]), draft.requires.method)
    return tiling.UNKNOWN if seconds is None else tiling.of_seconds(seconds, draft.size)


def tiled_name(name: str) -> str:
    """Return the name of the job that renders the tiles of another."""
    return f"{name} (tiles)"


def _measured(client: FarmClient, name: str, method: str) -> float | None:
    """Return the seconds that a whole picture took, or its tiles together; None: nobody knows."""
    for view in client.jobs(state=JobState.DONE.value, limit=100).jobs:
        rendered = view.requires.method == method and view.settings.get("stage") != "finish"
        if view.name in (name, tiled_name(name)) and rendered and view.seconds_per_frame:
            return view.seconds_per_frame * math.prod(tiling.grid(str(view.settings.get("tiles") or "1x1")))
    return None
