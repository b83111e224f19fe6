"""Play an open scene's simulations up to the frame that is rendered.

Rendering simulates nothing, not even an animation in the background: what a renderer draws
is what playing the timeline, or baking, left in memory. So each frame from the simulations'
start is played before one is rendered; those in between need no picture.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import bpy

from blender_addon.pointcaches import point_caches


def prepare() -> None:
    """Keep what simulations write out of the job's folder, which is read-only."""
    folder = tempfile.mkdtemp(prefix="simulation-")
    for _, cache in point_caches():
        if cache.use_disk_cache and not cache.is_baked:
            cache.use_disk_cache = False
    for number, domain in enumerate(_domains()):
        if domain.cache_type == "REPLAY":
            domain.cache_directory = os.path.join(folder, str(number))


def play(scene: Any, played: int | None, picture: int) -> int:
    """Play to a frame; return it.

    Args:
        scene: what is rendered.
        played: the frame that was played last; None: none since the file was opened.
        picture: the frame to come to; not before `played`.
    """
    first = min(start(scene), picture) if played is None else played + 1
    for number in range(first, picture + 1):
        scene.frame_set(number)
    return picture


def start(scene: Any) -> int:
    """Return the frame at which the first of a scene's simulations begins."""
    starts = [cache.frame_start for _, cache in point_caches() if not cache.is_baked]
    return int(min([scene.frame_start, *starts, *(d.cache_frame_start for d in _domains())]))


def _domains() -> list[Any]:
    modifiers = [modifier for thing in bpy.data.objects for modifier in thing.modifiers]
    return [m.domain_settings for m in modifiers if m.type == "FLUID" and m.fluid_type == "DOMAIN"]
