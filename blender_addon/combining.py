"""Bakes, tiles and videos that an artist wishes: what the farm makes beside pictures, and why it can't.

Knows nothing of Blender.
"""

from __future__ import annotations

from typing import Any

from . import frames as frame_ranges
from . import tiling
from .comms.parcel import Combining
from .inspection import Inspection
from .wishes import BAKE, Wish

HAIR = "hair dynamics"
"""What Blender bakes, but does not render then."""


def combining(found: Inspection, settings: dict[str, Any], wish: Wish) -> Combining:
    """Return what the farm makes of a job's pictures; of a test frame, nothing."""
    if wish.test:
        return Combining()
    scene = found.chosen(settings.get("scene")) or found.scene
    finishing = tuple(found.finishing(settings)) if wish.tiles else ()
    bake = wish.order == BAKE and bool(scene.physics)
    return Combining(wish.tiles, wish.video, scene.fps, scene.size(settings), finishing=finishing, bake=bake)


def objections(found: Inspection, settings: dict[str, Any], frames: list[int], wish: Wish) -> list[str]:
    """Return why that can't be, one sentence each."""
    if wish.test or not (wish.tiles or wish.video or wish.order == BAKE):
        return []
    if wish.update:
        return ["A job that is updated gets no tiles, no video and no bake. Choose none of them below More."]
    hair = _hair(found, settings) if wish.order == BAKE else []
    if not wish.tiles:
        return hair
    return [*hair, *found.untileable(settings), *_unfit(found, settings, frames, wish.tiles)]


def _hair(found: Inspection, settings: dict[str, Any]) -> list[str]:
    scene = found.chosen(settings.get("scene")) or found.scene
    hair = [what for what in scene.physics if what.startswith(HAIR)]
    advice = "Blender renders none that is baked: let one slave render all in order, or switch it off."
    return [f"There is {', '.join(hair)}. {advice}"] if hair else []


def _unfit(found: Inspection, settings: dict[str, Any], frames: list[int], tiles: str) -> list[str]:
    if tiles == tiling.AUTO:
        return []
    scene = found.chosen(settings.get("scene")) or found.scene
    try:
        count = len(tiling.boxes(tiles, *scene.size(settings)))
    except ValueError as error:
        return [str(error)]
    if tiling.step(frames[-1]) * (count - 1) + frames[-1] > frame_ranges.HIGHEST:
        return [f"{tiles} are too many tiles for frame {frames[-1]}: choose fewer, or a frame below 10,000."]
    return []
