"""Which files the caches and bakes of the open file are kept in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import bpy

from .cachefiles import BAKES, FLUID, OCEAN, points
from .paths import absolute, library_file
from .pointcaches import point_caches


def folders() -> Iterator[tuple[str, str]]:
    """Yield the folder of each cache, and the pattern of its files below it."""
    for owner, cache in point_caches():
        if cache.use_external or cache.use_disk_cache:
            for folder in _of_points(owner, cache):
                yield folder, points(owner.name, cache.name)
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            yield from ((absolute(named, thing.library), pattern) for named, pattern in _of_modifier(modifier))


def _of_points(owner: Any, cache: Any) -> Iterator[str]:
    if cache.use_external:
        yield absolute(cache.filepath, owner.library)
        return
    if bpy.data.filepath:
        yield beside(absolute(bpy.data.filepath))
    # A linked thing's cache lies beside its library, unless it says otherwise.
    if owner.library is not None and cache.use_library_path:
        yield beside(library_file(owner.library))


def beside(blend: str) -> str:
    """Return the folder of caches that Blender makes beside a .blend."""
    home, name = os.path.split(blend)
    return os.path.join(home, f"blendcache_{os.path.splitext(name)[0]}")


def _of_modifier(modifier: Any) -> Iterator[tuple[str, str]]:
    if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN" and modifier.domain_settings is not None:
        yield modifier.domain_settings.cache_directory, FLUID
    elif modifier.type == "OCEAN" and modifier.is_cached:
        yield modifier.filepath, OCEAN
    elif modifier.type == "NODES":
        yield from ((folder, BAKES) for folder in bake_folders(modifier))


def bake_folders(modifier: Any) -> list[str]:
    """Return the folders of a modifier's bakes, as they stand in the file; Blender does not name them."""
    own = [bake.directory for bake in getattr(modifier, "bakes", ()) if bake.use_custom_path]
    of_all = getattr(modifier, "bake_directory", "") or getattr(modifier, "simulation_bake_directory", "")
    return [folder for folder in dict.fromkeys([of_all, *own]) if folder]
