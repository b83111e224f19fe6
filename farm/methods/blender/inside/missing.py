"""What the open file names and this Blender does not have: files, linked data, nodes, colour views.

Sounds are not looked at: no picture shows them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from blender_addon.paths import absolute, library_file

_COLOUR = re.compile(r'Color management: scene (view|look) "(.*)" not found')
_DISPLAY = re.compile(r'Color management: [Ss]cene.*(display) "(.*)".* not found')
_LINKED = re.compile(r"LIB: (\w[\w ]*): '(.*)' missing from '(.*?)'")
_TREES = ("materials", "worlds", "lights", "node_groups", "linestyles", "textures", "scenes")


def missing(said: Iterable[str]) -> list[str]:
    """Return all that is missing, one phrase each: `image Wood: //textures/wood.png`.

    Args:
        said: the lines that Blender printed while it opened the file.
    """
    lines = list(said)
    found = [f"{what}: {path}" for what, path, place in _files() if not os.path.exists(place)]
    found += [*_tiles(), *_caches(), *_linked(lines), *_nodes(), *_colour(lines)]
    return list(dict.fromkeys(found))


def _files() -> Iterator[tuple[str, str, str]]:
    """Yield the files that are used: what for, the path as it stands in the file, the path here."""
    yield from _pictures()
    for library in bpy.data.libraries:
        if library.filepath and library.packed_file is None:
            yield f"library {library.name}", library.filepath, library_file(library)
    for kind, things in (("font", bpy.data.fonts), ("cache", bpy.data.cache_files), ("volume", bpy.data.volumes)):
        for thing in things:
            whole = not getattr(thing, "is_sequence", False)
            if whole and _used(thing) and not thing.filepath.startswith("<"):
                yield f"{kind} {thing.name}", thing.filepath, absolute(thing.filepath, thing.library)


def _pictures() -> Iterator[tuple[str, str, str]]:
    """Yield images and clips, but not sequences: of their files, only those that a frame needs are here."""
    for image in bpy.data.images:
        if image.source in ("FILE", "MOVIE") and _used(image) and "<UDIM>" not in image.filepath:
            yield f"image {image.name}", image.filepath, absolute(image.filepath, image.library)
    for clip in bpy.data.movieclips:
        if clip.source == "MOVIE" and _used(clip):
            yield f"movie clip {clip.name}", clip.filepath, absolute(clip.filepath, clip.library)


def _used(thing: Any) -> bool:
    packed = getattr(thing, "packed_file", None) or getattr(thing, "packed_files", None)
    return thing.users > int(thing.use_fake_user) and not packed and bool(thing.filepath)


def _tiles() -> Iterator[str]:
    for image in bpy.data.images:
        if image.source == "TILED" and _used(image):
            for tile in image.tiles:
                file = absolute(image.filepath, image.library).replace("<UDIM>", str(tile.number))
                if not os.path.isfile(file):
                    yield f"image {image.name}, tile {tile.number}: {image.filepath}"


def _caches() -> Iterator[str]:
    """Yield baked simulations whose files are not here: they would stand still."""
    name = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
    for user, cache in _point_caches():
        if cache.is_baked and cache.use_disk_cache:
            folder = cache.filepath if cache.use_external else f"//blendcache_{name}"
            if not os.path.isdir(bpy.path.abspath(folder)):
                yield f"baked simulation of {user}: {folder}"
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
                domain = modifier.domain_settings
                if domain.has_cache_baked_data and not os.path.isdir(bpy.path.abspath(domain.cache_directory)):
                    yield f"baked fluid of {thing.name}: {domain.cache_directory}"


def _point_caches() -> Iterator[tuple[str, Any]]:
    for scene in bpy.data.scenes:
        if scene.rigidbody_world is not None:
            yield scene.name, scene.rigidbody_world.point_cache
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type in ("CLOTH", "SOFT_BODY"):
                yield thing.name, modifier.point_cache
            elif modifier.type == "PARTICLE_SYSTEM":
                yield thing.name, modifier.particle_system.point_cache


def _linked(lines: list[str]) -> Iterator[str]:
    """Yield data that a library should have, but has not: it was renamed or removed there."""
    if "is_missing" in bpy.types.ID.bl_rna.properties:
        for thing in bpy.data.user_map():
            if thing.is_missing and thing.library is not None and os.path.isfile(library_file(thing.library)):
                yield f"{thing.id_type.lower()} {thing.name} in library {thing.library.filepath}"
        return
    for line in lines:
        told = _LINKED.search(line)
        # Of a library that is not here all is missing; it is named itself.
        if told and os.path.isfile(bpy.path.abspath(told[3])):
            yield f"{told[1].lower()} {told[2]} in library {told[3]}"


def _nodes() -> Iterator[str]:
    for collection in _TREES:
        for thing in getattr(bpy.data, collection, ()):
            tree = thing if collection == "node_groups" else getattr(thing, "node_tree", None)
            for node in getattr(tree, "nodes", ()) if thing.users > int(thing.use_fake_user) else ():
                if node.bl_idname == "NodeUndefined" and any(s.is_linked for s in [*node.inputs, *node.outputs]):
                    yield f"node type of “{node.name}” in {thing.name} (of an add-on, or of another Blender)"


def _colour(lines: list[str]) -> Iterator[str]:
    for line in lines:
        told = _COLOUR.search(line) or _DISPLAY.search(line)
        if told:
            kind = {"view": "view transform", "look": "look", "display": "display device"}[told[1]]
            yield f"{kind} “{told[2]}” (of another OpenColorIO configuration)"
