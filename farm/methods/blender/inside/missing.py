"""What the open file names and this Blender does not have: files, linked data, nodes, colour views.

Sounds are not looked at: no picture shows them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

import bpy

from blender_addon import links
from blender_addon.named import named, used
from blender_addon.paths import absolute, library_file
from blender_addon.pointcaches import point_caches

_COLOUR = re.compile(r'Color management: scene (view|look) "(.*)" not found')
_DISPLAY = re.compile(r'Color management: [Ss]cene.*(display) "(.*)".* not found')
_TREES = ("materials", "worlds", "lights", "node_groups", "linestyles", "textures", "scenes")


def missing(said: Iterable[str]) -> list[str]:
    """Return all that is missing, one phrase each: `image Wood: //textures/wood.png`.

    Args:
        said: the lines that Blender printed while it opened the file.
    """
    lines = list(said)
    found = [f"{what}: {path}" for what, path, place in _files() if not os.path.exists(place)]
    found += [*_tiles(), *_caches(), *_linked(), *_nodes(), *_colour(lines)]
    return list(dict.fromkeys(found))


def _files() -> Iterator[tuple[str, str, str]]:
    """Yield the files that are used: what for, the path as it stands in the file, the path here."""
    for image in bpy.data.images:
        # Of a sequence's files, only those that a frame needs are here.
        if image.source in ("FILE", "MOVIE") and used(image) and "<UDIM>" not in image.filepath:
            yield f"image {image.name}", image.filepath, absolute(image.filepath, image.library)
    for library in bpy.data.libraries:
        if library.filepath and library.packed_file is None:
            yield f"library {library.name}", library.filepath, library_file(library)
    for volume in bpy.data.volumes:
        if used(volume) and not volume.is_sequence:
            yield f"volume {volume.name}", volume.filepath, absolute(volume.filepath, volume.library)
    yield from ((f"{one.kind} {one.thing.name}", one.path, one.place) for one in named() if not one.many)


def _tiles() -> Iterator[str]:
    for image in bpy.data.images:
        if image.source == "TILED" and used(image):
            for tile in image.tiles:
                file = absolute(image.filepath, image.library).replace("<UDIM>", str(tile.number))
                if not os.path.isfile(file):
                    yield f"image {image.name}, tile {tile.number}: {image.filepath}"


def _caches() -> Iterator[str]:
    """Yield baked simulations whose files are not here: they would stand still."""
    name = os.path.splitext(os.path.basename(bpy.data.filepath))[0]
    for owner, cache in point_caches():
        if cache.is_baked and cache.use_disk_cache:
            folder = cache.filepath if cache.use_external else f"//blendcache_{name}"
            if not os.path.isdir(bpy.path.abspath(folder)):
                yield f"baked simulation of {owner.name}: {folder}"
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
                domain = modifier.domain_settings
                if domain.has_cache_baked_data and not os.path.isdir(bpy.path.abspath(domain.cache_directory)):
                    yield f"baked fluid of {thing.name}: {domain.cache_directory}"


def _linked() -> Iterator[str]:
    """Yield data that a library should have, but has not: it was renamed or removed there."""
    for kind, thing, _ in links.broken():
        yield f"{kind} {thing.name} in library {thing.library.filepath}"


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
