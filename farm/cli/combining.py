"""The jobs behind a job: its tiles, what puts them together, what finishes the whole, and a video of the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from blender_addon import tiling
from farm.cli.draft import Draft, LocalFile
from farm.cli.grids import tiled_name
from farm.methods.sets import JobSets, Portion
from farm.methods.tiles import tile_frames
from farm.methods.video.formats import FORMATS
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobView, ParameterSet, Requirement
from farm.words.errors import BadSetting
from farm.words.ranges import FrameRange

_PLAIN = ("project", "comment", "priority", "slaves", "not_slaves")
"""What the jobs before and behind a job have of it."""


def tiled(draft: Draft, grid: str) -> Draft:
    """Return the job that renders the tiles of a draft's pictures; of passes alone, if they are finished later.

    Raises:
        BadFrameRange: the tiles' numbers would be too high.
    """
    cut = _Cut(draft, grid)
    settings = {**draft.settings, "tiles": grid, "tile_step": cut.step}
    requires = draft.requires
    if draft.finishing:
        settings = {name: value for name, value in settings.items() if name != "viewed"} | {"stage": "render"}
        # Who denoises is asked for later.
        requires = requires.model_copy(update={"engine": requires.engine.partition("+")[0]})
    if draft.requires.method == "povray":
        pictures = FrameRange.pictures(draft.frames)
        settings = {"initial_frame": pictures.first, "final_frame": pictures.last, **settings}
    return replace(
        draft,
        requires=requires,
        settings=settings,
        sets=[one.model_copy(update={"frames": cut.text(one.frames)}) if one.frames else one for one in draft.sets],
        frames=cut.text(draft.frames),
        files=[_of_tiles(file, cut) for file in draft.files],
        values={**draft.values, "name": tiled_name(draft.values["name"])},
        problems=[*draft.problems, *draft.untileable, *_too_fine(grid, draft.size)],
    )


class _Cut:
    """Which frames are the tiles of which pictures."""

    def __init__(self, draft: Draft, grid: str) -> None:
        self.pictures = FrameRange.of(n for portion in _portions(draft) for n in portion.pictures)
        self.step = tiling.step(self.pictures.last)
        self._grid = grid

    def of(self, pictures: FrameRange) -> list[FrameRange]:
        """Return the tiles of some pictures, picture by picture."""
        return tile_frames(pictures, self._grid, self.step)

    def text(self, pictures: str) -> str:
        """Return all tiles of some pictures, written as they."""
        return str(FrameRange.of(n for some in self.of(FrameRange.pictures(pictures)) for n in some))


def _portions(draft: Draft) -> list[Portion]:
    return JobSets.of(draft.frames, draft.sets).portions()


def _of_tiles(file: LocalFile, cut: _Cut) -> LocalFile:
    """Return a file that only some pictures need as one that their tiles need."""
    if file.frames is None:
        return file
    needing = cut.pictures.common(FrameRange.pictures(file.frames))
    return replace(file, frames=cut.text(str(needing))) if needing else file


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
    depends = [Dependency(on=str(job.job), frames=n, needs=tiles) for n, tiles in _joined(draft, grid)] if job else []
    settings = {"tiles": grid} | {k: v for k, v in draft.settings.items() if k == "outputs"}
    name = f"{draft.values['name']} (assembled)" if draft.finishing else draft.values["name"]
    values = {**plain(draft), "name": name, "depends": depends}
    return Draft(
        Requirement(method="image", pool=draft.requires.pool),
        settings,
        draft.frames,
        sets=_names(draft.sets),
        values=values,
    )


def _joined(draft: Draft, grid: str) -> Iterator[tuple[str, str]]:
    """Yield the frames that are put together, each with its tiles."""
    cut, tiles = _Cut(draft, grid), _portions(tiled(draft, grid))
    for here, there in zip(_portions(draft), tiles, strict=True):
        for picture, numbers in zip(here.pictures, cut.of(here.pictures), strict=True):
            yield str(picture + here.shift), str(numbers.shifted(there.shift))


def finished(draft: Draft, job: JobView | None) -> Draft:
    """Return the job that denoises and composites whole pictures, which another has put together.

    Args:
        draft: the pictures.
        job: that with the assembled ones; None: it is not there yet.
    """
    depends = [Dependency(on=str(job.job), match="same")] if job else []
    values = {name: value for name, value in draft.values.items() if name not in ("approval", "paused", "order")}
    settings = {**draft.settings, "stage": "finish"}
    return replace(draft, settings=settings, values={**values, "depends": depends}, warnings=draft.finishing)


def encoding(draft: Draft, job: JobView | None, kind: str, fps: float | None, sound: Path | None) -> Draft:
    """Return the job that makes a video; where the pictures have sets, one of each set, in a folder of its name.

    Args:
        draft: the pictures.
        job: that with the pictures; None: it is not there yet.
        kind: of video.
        fps: pictures per second; None: as the scene says.
        sound: what is heard; None: nothing.

    Raises:
        BadSetting: there is no such kind.
    """
    if kind not in FORMATS:
        raise BadSetting(f"--video: there is no “{kind}”.", hint=f"There are {', '.join(FORMATS)}.")
    name = str(draft.values["name"])
    files = [LocalFile(f"sound{sound.suffix.lower()}", sound)] if sound else []
    video = Draft(
        Requirement(method="video", engine=kind, pool=draft.requires.pool),
        {"format": kind, "fps": fps or draft.fps or 24.0, "name": name},
        "1",
        source=files[0].path if files else "",
        files=files,
        sets=[one.model_copy(update={"frames": None}) for one in _names(draft.sets)],
        values={**plain(draft), "name": f"{name} (video)"},
    )
    return replace(video, values={**video.values, "depends": _shown(video, draft, str(job.job)) if job else []})


def _shown(video: Draft, draft: Draft, on: str) -> list[Dependency]:
    """Return what videos wait for: all pictures, or those of their sets."""
    if not video.sets:
        return [Dependency(on=on)]
    pairs = zip(_portions(video), _portions(draft), strict=True)
    return [Dependency(on=on, frames=str(v.numbers), needs=str(p.numbers)) for v, p in pairs]


def viewed(draft: Draft) -> Draft:
    """Return a Blender draft that brings pictures as they are seen, beside those that can't be shown."""
    blender = draft.requires.method == "blender"
    return replace(draft, settings={**draft.settings, "viewed": True}) if blender else draft


def _names(sets: Sequence[ParameterSet]) -> list[ParameterSet]:
    """Return the sets that frames belong to, without what they set."""
    return [one.model_copy(update={"settings": {}}) for one in sets if one.name]


def plain(draft: Draft) -> dict[str, Any]:
    """Return what the jobs before and behind a job have of it."""
    return {name: draft.values[name] for name in _PLAIN if name in draft.values}
