"""Find every file that the open .blend uses, and those that are missing.

`bpy.utils.blend_paths` is the most complete list on every version, but names only the
base of what is many files. So it is expanded here: sequences (with the frames that need
each file), UDIM tiles, the files of caches. Of a folder, only what Blender reads there is
taken: what else an artist keeps in it stays at home.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import bpy

from . import addons, cachefiles, caches, links, sequences
from .colours import own_configuration, tables
from .image_uses import uses
from .named import named, used
from .paths import absolute, library_file
from .scene_facts import current_scene, scene_facts
from .scene_nodes import strips
from .tree import common_root, place_in, relocation
from .users import known_by, users

SCHEMA = 1
LOOKED_UP = 50
"""Of how many missing files it is looked up what uses them: each time, Blender goes through all that a file holds."""

UNSAVED = "unsaved/untitled.blend"
"""Where in a job a file is that was never saved. Nothing in it is relative to that."""


@dataclass
class Collected:
    """Files by absolute path, and what is missing."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: str, kind: str, user: Any, frames: list[tuple[int, int]] | None = None) -> None:
        """Take a file; needed by more frames if it was there already.

        Args:
            path: where it is.
            kind: what it is, for messages.
            user: the datablock that names it, or a name.
            frames: the spans of frames that need it; None: all.
        """
        known = self.files.get(path)
        # Blender looks for a path that is not absolute in whatever folder it was started in.
        if not os.path.isabs(path) or not os.path.isfile(path):
            self.miss(path, kind, user)
        elif known is None:
            self.files[path] = {"kind": kind, "user": getattr(user, "name", user), "frames": frames}
        elif frames is None or known["frames"] is None:
            known["frames"] = None
        else:
            known["frames"] = known["frames"] + frames

    def miss(self, path: str, kind: str, user: Any, detail: str = "") -> None:
        """Note what is not there, with what an artist knows it by."""
        found = isinstance(user, bpy.types.ID) and len(self.missing) < LOOKED_UP
        text = known_by(user) if found else getattr(user, "name", user)
        linked = getattr(user, "library", None)
        library = library_file(linked) if linked is not None else ""
        if library:
            detail = ", ".join(filter(None, (detail, f"in the library {os.path.basename(library)}")))
        entry = {"path": path, "kind": kind, "user": text, "detail": detail, "library": library}
        self.missing.setdefault(path, entry)


def collect(wanted: list[int] | None = None, copy: str = "", *, studio: bool = False) -> dict[str, Any]:
    """Return all about the open file as plain JSON values.

    Args:
        wanted: the frames that will be rendered; None: the scene's own. Members of a
            sequence that these need and that are not there are reported as missing.
        copy: a file with the open one's state, unsaved changes included, which is sent in its place.
        studio: the farm is that of a team: the add-ons that nodes are of are sent with the job.
    """
    source = os.path.normpath(bpy.data.filepath or unsaved())
    scene = current_scene()
    frames = wanted or list(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
    found = Collected()
    if copy:
        found.files[source] = {"kind": "blend", "user": "", "frames": None, "from": copy}
        if not bpy.data.filepath:
            found.files[source]["place"] = UNSAVED
    else:
        found.add(source, "blend", "")
    _libraries(found)
    handled = _images(found, frames) | _strips(found) | _volumes(found) | _named(found)
    _rest(found, handled)
    _caches(found)
    colours = _colours(found)
    used = _addons(found, studio)
    return {**_report(found, source, scene, colours), "addons": used}


def unsaved() -> str:
    """Return where a file that was never saved pretends to be."""
    return os.path.join(os.path.expanduser("~"), "untitled.blend")


def _libraries(found: Collected) -> None:
    for library in bpy.data.libraries:
        if library.filepath and not library.packed_file:
            found.add(library_file(library), "library", library)
    for kind, thing, override in links.broken():
        path, by = library_file(thing.library), f"override “{override}”" if override else users(thing)
        text = ", ".join(filter(None, (thing.name, by)))
        entry = {"path": path, "kind": kind, "user": text, "detail": "the library has it no longer", "library": path}
        found.missing[f"{path} {kind} {thing.name}"] = entry


def _images(found: Collected, frames: list[int]) -> set[str]:
    """Take the images; return the base paths that need no second look."""
    handled = set()
    for image in bpy.data.images:
        # An image that is packed, generated or not used by anything needs no file.
        if not image.filepath or image.source in ("GENERATED", "VIEWER"):
            continue
        path = absolute(image.filepath, image.library)
        handled.add(path)
        if not used(image):
            continue
        if image.source == "SEQUENCE":
            _sequence(found, image, path, frames)
        elif image.source == "TILED" or sequences.is_tiled(path):
            _tiles(found, image, path)
        else:
            found.add(path, "movie" if image.source == "MOVIE" else "image", image)
    return handled


def _tiles(found: Collected, image: Any, path: str) -> None:
    named_here = [sequences.tile(path, tile.number) for tile in getattr(image, "tiles", ())]
    for file in named_here or sequences.tiles(path) or [path]:
        found.add(file, "image", image)


def _sequence(found: Collected, image: Any, path: str, frames: list[int]) -> None:
    sequence, played = sequences.sequence_of(path), uses(image)
    present = sequence.present() if sequence is not None else {}
    if sequence is None or played is None:
        for file in present.values() or [path]:
            found.add(file, "sequence", image)
        return
    for use in played:
        _played(found, image, present, use)
        gone = sorted({use.number(frame) for frame in frames} - set(present))
        if gone:
            found.miss(path, "sequence", image, f"the numbers {sequences.spans(gone)} are missing")


def _played(found: Collected, image: Any, present: dict[int, str], use: sequences.Use) -> None:
    for number in range(use.offset + 1, use.offset + max(use.duration, 1) + 1):
        if number in present:
            span = use.frames(number)
            found.add(present[number], "sequence", image, [span] if span else None)


def _strips(found: Collected) -> set[str]:
    handled = set()
    for scene in bpy.data.scenes:
        for strip in strips(scene):
            if strip.type == "IMAGE":
                for element in strip.elements:
                    path = absolute(os.path.join(strip.directory, element.filename))
                    found.add(path, "sequence", strip.name)
                    handled.add(path)
            elif strip.type == "MOVIE":
                found.add(absolute(strip.filepath), "movie", strip.name)
    return handled


def _volumes(found: Collected) -> set[str]:
    handled = set()
    for volume in bpy.data.volumes:
        if not volume.filepath:
            continue
        path = absolute(volume.filepath, volume.library)
        handled.add(path)
        if not used(volume):
            continue
        sequence = sequences.sequence_of(path) if volume.is_sequence else None
        played = range(volume.frame_offset + 1, volume.frame_offset + volume.frame_duration + 1)
        present = sequence.present() if sequence else {}
        for file in [present[number] for number in present if number in played] or [path]:
            found.add(file, "volume", volume)
    return handled


def _named(found: Collected) -> set[str]:
    """Take fonts, clips, caches, light textures, scripts."""
    handled = set()
    for one in named():
        sequence = sequences.sequence_of(one.place) if one.many else None
        for file in (sequence.present().values() if sequence else ()) or [one.place]:
            found.add(file, one.kind, one.thing)
        handled.add(one.place)
    return handled


def _rest(found: Collected, handled: set[str]) -> None:
    """Take what else Blender names: sounds, texts, what a newer version adds."""
    # Of a file that was never saved, nothing is relative to it: Blender would look at the root of the disk.
    raw = bpy.utils.blend_paths(absolute=bool(bpy.data.filepath), packed=False, local=False)
    for path in (os.path.normpath(one) for one in raw if not one.startswith(("<", "//"))):
        if not os.path.isabs(path) or path in handled or path in found.files or path in found.missing:
            continue
        if os.path.isfile(path):
            found.add(path, "file", "")
        elif os.path.splitext(path)[1] and not os.path.isdir(path):
            # A scene may do without: caches that were never baked, texts, unused files.
            found.warnings.append(f"{path} is not there.")


def _caches(found: Collected) -> None:
    """Take the files of caches, but no others in their folders."""
    home = os.path.join(os.path.expanduser("~"), "")
    for folder, pattern in caches.folders():
        if not os.path.isabs(folder) or os.path.dirname(folder) == folder:
            continue  # what a cache that was never written names
        if home.startswith(os.path.join(folder, "")):
            found.warnings.append(f"The folder {folder} is named in the file, but is too much to look through.")
            continue
        for path in cachefiles.matching(folder, pattern):
            found.add(path, "cache", "")


def _colours(found: Collected) -> str:
    """Take the artist's own colour configuration; return its path, or nothing."""
    configuration = own_configuration()
    if configuration:
        for path in (configuration, *tables(configuration)):
            found.add(path, "colours", "")
    return configuration


def _addons(found: Collected, studio: bool) -> list[dict[str, Any]]:
    """Take the add-ons that nodes and engines are of; those that came with Blender are on the slaves."""
    used = addons.needed()
    for one in used:
        for path, place in one.files() if studio else ():
            found.files[path] = {"kind": "addon", "user": one.name, "frames": None, "place": place}
    return [{"name": one.name, "user": one.user, "sent": studio, "engines": one.engines} for one in used]


def _report(found: Collected, source: str, scene: Any, colours: str) -> dict[str, Any]:
    artists = [path for path, facts in found.files.items() if "place" not in facts]
    root = common_root(artists or [source])
    files = [
        {
            "path": facts.get("from", path),
            "place": facts.get("place") or place_in(root, path),
            "size": os.path.getsize(facts.get("from", path)),
            "kind": facts["kind"],
            "user": facts["user"],
            "frames": facts["frames"],
        }
        for path, facts in sorted(found.files.items())
    ]
    return {
        "schema": SCHEMA,
        "blender": list(bpy.app.version),
        "source": found.files.get(source, {}).get("from", source),
        "root": root,
        "files": files,
        "missing": sorted(found.missing.values(), key=lambda m: str(m["path"])),
        "warnings": found.warnings,
        "relocate": relocation(root, artists),
        "colours": place_in(root, colours) if colours else "",
        "scene": scene_facts(scene),
        "scenes": [scene_facts(s) for s in bpy.data.scenes if s.library is None],
        "cameras": sorted(o.name for o in bpy.data.objects if o.type == "CAMERA"),
    }
