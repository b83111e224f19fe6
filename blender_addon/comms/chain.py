"""The jobs that a wish makes, as `distren submit` makes them: a bake, tiles, pictures put together, a video."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .. import frames, tiling
from .parcel import LocalFile, Parcel

LONGEST = 7 * 86_400.0
"""Seconds that a bake may take."""

_OPENING = ("scene", "relocate", "colours", "allow_missing")
"""What of a job's settings says how its file is opened."""

_PLAIN = ("project", "comment", "priority")
"""What the jobs behind a job have of it."""


@dataclass(frozen=True)
class Step:
    """One of the jobs.

    Args:
        submission: the message to the server, but for its files and what it waits for.
        files: the job's.
        brings: its files are what the artist wants.
        needs: what frames wait for in the job before; of the first one nothing.
    """

    submission: dict[str, Any]
    files: list[LocalFile] = field(default_factory=list)
    brings: bool = True
    needs: list[dict[str, Any]] = field(default_factory=list)

    def behind(self, job: int | None) -> dict[str, Any]:
        """Return the message, when the number of the job before is known."""
        if job is None:
            return self.submission
        return {**self.submission, "depends": [{**one, "on": str(job)} for one in self.needs]}


def steps(parcel: Parcel, grid: str, sound: str) -> list[Step]:
    """Return the jobs that a parcel makes.

    Args:
        parcel: it.
        grid: the tiles, `4x4`; empty: pictures are rendered whole.
        sound: the file with the video's sound; empty: it has none.

    Raises:
        ValueError: the tiles are none, or too fine.
    """
    wish, submission = parcel.combining, parcel.submission
    whole = {**submission, "settings": {**submission["settings"], "viewed": True}} if wish.video else submission
    made = [Step(whole, parcel.files)]
    if grid and wish.finishing:
        tiles = _tiles(_passes(submission), parcel.files, grid, wish.size)
        assembled = {**submission, "name": f"{submission['name']} (assembled)"[:200]}
        made = [tiles, replace(_join(assembled, grid), brings=False), _finish(whole, parcel.files)]
    elif grid:
        made = [_tiles(whole, parcel.files, grid, wish.size), _join(submission, grid)]
    if wish.bake:
        made[:1] = [_bake(submission, parcel.files), _baked(made[0])]
    if wish.video:
        made.append(_encode(submission, wish.video, wish.fps, sound))
    return made


def _bake(submission: dict[str, Any], files: list[LocalFile]) -> Step:
    """Return the job that bakes; its one frame has the number of the last one that is rendered."""
    settings = {name: value for name, value in submission["settings"].items() if name in _OPENING}
    told = {
        "name": f"{submission['name']} (bake)"[:200],
        "requires": {**submission["requires"], "engine": "", "device": ""},
        "settings": {**settings, "bake": True},
        "frames": str(frames.numbers(submission["frames"])[-1]),
        "source": submission["source"],
        "paused": submission.get("paused", False),
        "limits": {"render_seconds": LONGEST},
    }
    all_of = [replace(file, frames=None) for file in files]
    return Step({**_plain(submission, "bake"), **told}, all_of, brings=False)


def _baked(step: Step) -> Step:
    """Return the job that renders what was baked: pictures, or tiles of them."""
    return replace(step, submission={**step.submission, "paused": False}, needs=[{"overlay": True}])


def _tiles(whole: dict[str, Any], files: list[LocalFile], grid: str, size: tuple[int, int] | None) -> Step:
    pictures = frames.numbers(whole["frames"])
    tiling.boxes(grid, *(size or (65_536, 65_536)))
    step = tiling.step(pictures[-1])
    told = {
        "name": f"{whole['name']} (tiles)"[:200],
        "settings": {**whole["settings"], "tiles": grid, "tile_step": step},
        "frames": frames.text(number for picture in pictures for number in _numbers(picture, grid, step)),
    }
    return Step({**whole, **told}, [_of_tiles(file, set(pictures), grid, step) for file in files], brings=False)


def _passes(submission: dict[str, Any]) -> dict[str, Any]:
    """Return a job that renders passes alone: who denoises is asked for later."""
    needs = submission["requires"]
    engine = str(needs.get("engine", "")).partition("+")[0]
    settings = {**submission["settings"], "stage": "render"}
    return {**submission, "requires": {**needs, "engine": engine}, "settings": settings}


def _finish(whole: dict[str, Any], files: list[LocalFile]) -> Step:
    """Return the job that denoises and composites whole pictures, which another has put together."""
    kept = {name: value for name, value in whole.items() if name not in ("approval", "paused", "order")}
    told = {"settings": {**whole["settings"], "stage": "finish"}, "key": f"{whole['key']}-finish"}
    return Step({**kept, **told}, files, needs=[{"match": "same"}])


def _of_tiles(file: LocalFile, pictures: set[int], grid: str, step: int) -> LocalFile:
    """Return a file that only some pictures need as one that their tiles need."""
    if file.frames is None:
        return file
    needing = [
        n for picture in frames.numbers(file.frames) if picture in pictures for n in _numbers(picture, grid, step)
    ]
    return LocalFile(file.local, file.place, frames.text(needing)) if needing else file


def _numbers(picture: int, grid: str, step: int) -> list[int]:
    columns, rows = tiling.grid(grid)
    return [picture + step * tile for tile in range(columns * rows)]


def _join(submission: dict[str, Any], grid: str) -> Step:
    pictures = frames.numbers(submission["frames"])
    step = tiling.step(pictures[-1])
    needs = [{"frames": str(n), "needs": frames.text(_numbers(n, grid, step))} for n in pictures]
    settings = {name: value for name, value in submission["settings"].items() if name == "outputs"}
    told = {
        "name": submission["name"],
        "requires": {"method": "image", **_pool(submission)},
        "settings": {"tiles": grid, **settings},
        "frames": submission["frames"],
    }
    return Step({**_plain(submission, "image"), **told}, needs=needs)


def _encode(submission: dict[str, Any], kind: str, fps: float, sound: str) -> Step:
    name = str(submission["name"])
    files = [LocalFile(sound, "sound.flac", None)] if sound else []
    told = {
        "name": f"{name} (video)"[:200],
        "requires": {"method": "video", "engine": kind, **_pool(submission)},
        "settings": {"format": kind, "fps": fps, "name": name},
        "frames": "1",
        "source": "sound.flac" if sound else "",
    }
    return Step({**_plain(submission, "video"), **told}, files, needs=[{}])


def _pool(submission: dict[str, Any]) -> dict[str, str]:
    """Return the pool that a job stays in; other slaves than those with its tags may combine its pictures."""
    return {name: pool for name, pool in submission["requires"].items() if name == "pool"}


def _plain(submission: dict[str, Any], what: str) -> dict[str, Any]:
    kept = {name: submission[name] for name in _PLAIN if name in submission}
    return {**kept, "key": f"{submission['key']}-{what}"}
