"""The session child: puts the tiles of one picture together per frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blender_addon import tiling
from farm.methods.combinesession import Needed, Tell, serve
from farm.methods.image.method import VERSION
from farm.methods.inside.trouble import Trouble
from farm.pictures.boxes import Box, CannotJoinError
from farm.pictures.join import join


def combine(needed: Needed, tell: Tell) -> Iterator[Path]:
    """Put each of the files together that all tiles have.

    Raises:
        Trouble: they are no tiles of one picture.
    """
    grid = str(needed.settings.get("tiles") or "")
    names = _names(needed.folders, grid)
    for done, name in enumerate(names):
        target = needed.output / (name.removeprefix(f"{needed.set}/") if needed.set else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            join([folder / name for folder in needed.folders], lambda width, height: _cut(grid, width, height), target)
        except (CannotJoinError, ValueError) as error:
            raise Trouble(str(error)) from error
        tell((done + 1) / len(names))
        yield target


def _cut(grid: str, width: int, height: int) -> list[Box]:
    return [Box(*box) for box in tiling.boxes(grid, width, height)]


def _names(folders: list[Path], grid: str) -> list[str]:
    """Return the files that each tile must have."""
    try:
        columns, rows = tiling.grid(grid)
    except ValueError as error:
        raise Trouble(str(error)) from error
    if len(folders) != columns * rows:
        raise Trouble(f"A picture of {grid} tiles has {columns * rows}, but the frame waits for {len(folders)}.")
    first, *others = (sorted(_below(folder)) for folder in folders)
    if not first:
        raise Trouble("The tiles have no files.")
    if any(names != first for names in others):
        raise Trouble("The tiles have different files: they are not of one picture.")
    return first


def _below(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    serve(VERSION, [], combine)
