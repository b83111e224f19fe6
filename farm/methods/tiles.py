"""Tiles, as far as renderers share them: their settings, and the numbers of their frames."""

from __future__ import annotations

from blender_addon import tiling
from farm.protocol.methods import SettingDescription
from farm.words.errors import BadFrameRange, BadSetting
from farm.words.ranges import HIGHEST, FrameRange

TILES = [
    SettingDescription(
        name="tiles",
        title="Tiles",
        type="text",
        whole=True,
        help="COLUMNSxROWS: each frame renders one tile of a picture, in a file as large as the picture. `submit "
        "--tiles` adds the job that puts them together.",
    ),
    SettingDescription(
        name="tile_step",
        title="Step between tiles",
        type="integer",
        minimum=10_000,
        whole=True,
        help="How far apart the frames of a picture's tiles are numbered: 10,000 usually, more if there are "
        "higher pictures.",
    ),
]


def tile_frames(pictures: FrameRange, tiles: str, step: int | None = None) -> list[FrameRange]:
    """Return the numbers of the frames that render the tiles of some pictures, picture by picture.

    Args:
        pictures: the renderer's numbers.
        tiles: columns and rows.
        step: between a picture's tiles; None: as the highest picture needs.

    Raises:
        BadSetting: these are no tiles.
        BadFrameRange: their numbers would be too high.
    """
    try:
        columns, rows = tiling.grid(tiles)
    except ValueError as error:
        raise BadSetting(str(error)) from error
    step = step or tiling.step(pictures.last)
    if step * (columns * rows - 1) + pictures.last > HIGHEST:
        text = f"{tiles} tiles of picture {pictures.last} would have numbers above {HIGHEST:,}."
        raise BadFrameRange(text, hint="Take fewer tiles, or number the pictures below 10,000.")
    return [FrameRange.of(picture + step * tile for tile in range(columns * rows)) for picture in pictures]
