"""The jobs behind a job: one that puts its tiles together, and one that makes a video of its pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from blender_addon import tiling
from farm.cli.draft import Draft, LocalFile
from farm.client.farmclient import FarmClient
from farm.methods.tiles import tile_frames
from farm.methods.video.formats import FORMATS
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobView, Requirement
from farm.words.errors import BadSetting, Malformed
from farm.words.ranges import FrameRange
from farm.words.states import JobState

_PLAIN = ("project", "comment", "priority", "slaves", "not_slaves")
"""What the jobs behind a job have of it."""


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


def _measured(client: FarmClient, name: str, method: str) -> float | None:
    """Return the seconds that a whole picture took, or its tiles together; None: nobody knows."""
    for view in client.jobs(state=JobState.DONE.value, limit=100).jobs:
        grid = str(view.settings.get("tiles") or "1x1")
        if view.name in (name, _tiled_name(name)) and view.requires.method == method and view.seconds_per_frame:
            return view.seconds_per_frame * math.prod(tiling.grid(grid))
    return None


def tiled(draft: Draft, grid: str) -> Draft:
    """Return the job that renders the tiles of a draft's pictures.

    Raises:
        Malformed: it has parameter sets.
        BadFrameRange: the tiles' numbers would be too high.
    """
    if draft.sets:
        raise Malformed("Tiles of parameter sets can't be told apart.", hint="Make a job for each set.")
    pictures = FrameRange.pictures(draft.frames)
    numbers = tile_frames(pictures, grid)
    step = tiling.step(pictures.last)
    settings = {**draft.settings, "tiles": grid, "tile_step": step}
    if draft.requires.method == "povray":
        settings = {"initial_frame": pictures.first, "final_frame": pictures.last, **settings}
    return replace(
        draft,
        settings=settings,
        frames=str(FrameRange.of(number for some in numbers for number in some)),
        files=[_of_tiles(file, numbers) for file in draft.files],
        values={**draft.values, "name": _tiled_name(draft.values["name"])},
        problems=[*draft.problems, *draft.untileable, *_too_fine(grid, draft.size)],
    )


def _tiled_name(name: str) -> str:
    return f"{name} (tiles)"


def _of_tiles(file: LocalFile, numbers: Sequence[FrameRange]) -> LocalFile:
    """Return a file that only some pictures need as one that their tiles need."""
    if file.frames is None:
        return file
    pictures = set(FrameRange.pictures(file.frames))
    needing = [number for some in numbers if some.first in pictures for number in some]
    return replace(file, frames=str(FrameRange.of(needing))) if needing else file


def _too_fine(grid: str, size: tuple[int, int] | None) -> list[str]:
    try:
        tiling.boxes(grid, *(size or (65_536, 65_536)))
    except ValueError as error:
        return [str(error)]
    return []


def joining(draft: Draft, job: JobView | None, grid: str) -> Draft:
    """Return the job that puts the tiles together.

    Args:
        draft: the whole pictures.
        job: that with the tiles; None: it is not there yet.
        grid: the tiles.
    """
    pictures = FrameRange.pictures(draft.frames)
    needs = zip(pictures, tile_frames(pictures, grid), strict=True) if job else ()
    depends = [Dependency(on=str(job.job), frames=str(n), needs=str(tiles)) for n, tiles in needs if job]
    settings = {"tiles": grid} | {k: v for k, v in draft.settings.items() if k == "outputs"}
    values = {**_plain(draft), "name": draft.values["name"], "depends": depends}
    return Draft(Requirement(method="image"), settings, draft.frames, values=values)


def encoding(draft: Draft, job: JobView | None, kind: str, fps: float | None, sound: Path | None) -> Draft:
    """Return the job that makes a video.

    Args:
        draft: the pictures.
        job: that with the pictures; None: it is not there yet.
        kind: of video.
        fps: pictures per second; None: as the scene says.
        sound: what is heard; None: nothing.

    Raises:
        BadSetting: there is no such kind.
        Malformed: the pictures have parameter sets.
    """
    if kind not in FORMATS:
        raise BadSetting(f"--video: there is no “{kind}”.", hint=f"There are {', '.join(FORMATS)}.")
    if draft.sets:
        raise Malformed("A video of parameter sets would mix them.", hint="Make a job for each set.")
    name = str(draft.values["name"])
    files = [LocalFile(f"sound{sound.suffix.lower()}", sound)] if sound else []
    depends = [Dependency(on=str(job.job))] if job else []
    return Draft(
        Requirement(method="video", engine=kind),
        {"format": kind, "fps": fps or draft.fps or 24.0, "name": name},
        "1",
        source=files[0].path if files else "",
        files=files,
        values={**_plain(draft), "name": f"{name} (video)", "depends": depends},
    )


def viewed(draft: Draft) -> Draft:
    """Return a Blender draft that brings pictures as they are seen, beside those that can't be shown."""
    blender = draft.requires.method == "blender"
    return replace(draft, settings={**draft.settings, "viewed": True}) if blender else draft


def _plain(draft: Draft) -> dict[str, Any]:
    return {name: draft.values[name] for name in _PLAIN if name in draft.values}
