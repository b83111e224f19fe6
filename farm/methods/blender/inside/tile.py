"""Render one tile of a picture: the rest of the picture stays empty, so that all lies where it does in the whole."""

from __future__ import annotations

from typing import Any

from blender_addon import tiling
from blender_addon.inspection import FINISHING
from blender_addon.tileable import finishing, reasons
from farm.methods.inside.trouble import Trouble

from . import expected, stages

_WITHOUT_LOSS = ("NONE", "ZIP", "ZIPS")
"""How an EXR may be packed whose tiles are put together."""

MARGIN = 16
"""Pixels around a tile that are rendered with it where sampling is adaptive: whether a pixel has enough samples
depends on its neighbours. (Measured without: 53 of 1,400 pixels along the edges differed; with 8: none.)"""


def prepare(scene: Any, settings: dict[str, Any]) -> list[str]:
    """Make an open file ready for tiles, or for its passes alone; return warnings for the log.

    Raises:
        Trouble: its tiles would not be those of the whole picture.
    """
    if settings.get("stage") == stages.RENDER:
        stages.only_passes(scene)
    if not settings.get("tiles"):
        return []
    wrong = [text for _, text in reasons(scene)] + [FINISHING[name] for name in finishing(scene)]
    if wrong:
        raise Trouble(" ".join(wrong))
    _boxes(scene, settings)
    image = scene.render.image_settings
    scene.render.use_border, scene.render.use_crop_to_border = True, False
    if image.file_format.startswith("OPEN_EXR") and image.exr_codec not in _WITHOUT_LOSS:
        image.exr_codec = "ZIP"
        return ["The EXR is packed with ZIP, without loss, since its tiles are put together."]
    return []


def choose(scene: Any, settings: dict[str, Any], number: int) -> int:
    """Let the scene render the tile that a frame is; return its picture.

    Raises:
        Trouble: there is no such tile.
    """
    try:
        picture, tile = tiling.place(settings, number)
    except ValueError as error:
        raise Trouble(str(error)) from error
    if tile is not None:
        width, height = expected.whole_size(scene)
        left, top, right, bottom = _widened(scene, _boxes(scene, settings)[tile])
        render = scene.render
        # The upper edges first: Blender keeps a border's edges in order.
        render.border_max_x, render.border_max_y = _edge(right, width), _edge(height - top, height)
        render.border_min_x, render.border_min_y = _edge(left, width), _edge(height - bottom, height)
    return picture


def _boxes(scene: Any, settings: dict[str, Any]) -> list[tiling.Box]:
    try:
        return tiling.boxes(str(settings["tiles"]), *expected.whole_size(scene))
    except ValueError as error:
        raise Trouble(str(error)) from error


def _widened(scene: Any, box: tiling.Box) -> tiling.Box:
    """Return what is rendered for a tile; what is too much is cut off when the tiles are put together."""
    width, height = expected.whole_size(scene)
    more = MARGIN if scene.cycles.use_adaptive_sampling else 0
    left, top, right, bottom = box
    return max(0, left - more), max(0, top - more), min(width, right + more), min(height, bottom + more)


def _edge(at: int, size: int) -> float:
    """Return an edge as Blender wants it, which rounds down: in the middle of the pixel behind it."""
    return 0.0 if at <= 0 else 1.0 if at >= size else (at + 0.5) / size
