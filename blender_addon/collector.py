"""Find every file that the open .blend uses, and those that are missing.

`bpy.utils.blend_paths` is the most complete list on every version, but names only the
base of what is many files. So it is expanded here: sequences (with the frames that need
each file), UDIM tiles, folders of caches.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import bpy

from . import sequences
from .colours import own_configuration, tables
from .image_uses import uses
from .paths import absolute, library_file
from .scene_facts import current_scene, scene_facts
from .scene_nodes import strips
from .tree import common_root, place_in, relocation

SCHEMA = 1
FOLDER_LIMIT = 200_000
"""No folder of a cache holds more files; a larger one was named by mistake."""


@dataclass
class Collected:
    """Files by absolute path, and what is missing."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: str, kind: str, user: str, frames: list[tuple[int, int]] | None = None) -> None:
        """Take a file; needed by more frames if it was there already."""
        known = self.files.get(path)
        # Blender looks for a path that is not absolute in whatever folder it was started in.
        if not os.path.isabs(path) or not os.path.isfile(path):
            self.missing.setdefault(path, {"path": path, "kind": kind, "user": user, "detail": ""})
        elif known is None:
            self.files[path] = {"kind": kind, "user": user, "frames": frames}
        elif frames is None or known["frames"] is None:
            known["frames"] = None
        else:
            known["frames"] = known["frames"] + frames


def collect(wanted: list[int] | None = None, copy: str = "") -> dict[str, Any]:
    """Return all about the open file as plain JSON values.

    Args:
        wanted: the frames that will be rendered; None: the scene's own. Members of a
            sequence that these need and that are not there are reported as missing.
        copy: a file with the open one's state, unsaved changes included, which is sent in its place.
    """
    source = os.path.normpath(bpy.data.filepath or unsaved())
    scene = current_scene()
    frames = wanted or list(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
    found = Collected()
    if copy:
        found.files[source] = {"kind": "blend", "user": "", "frames": None, "from": copy}
    else:
        found.add(source, "blend", "")
    _libraries(found)
    handled = _images(found, frames) | _strips(found) | _volumes(found)
    _rest(found, handled)
    _caches(found, source)
    _bakes(found)
    colours = _colours(found)
    return _report(found, source, scene, colours)


def unsaved() -> str:
    """Return where a file that was never saved pretends to be. Nothing in it is relative to that."""
    return os.path.join(os.path.expanduser("~"), "untitled.blend")


def _libraries(found: Collected) -> None:
    for library in bpy.data.libraries:
        if library.filepath and not library.packed_file:
            found.add(library_file(library), "library", library.name)


def _images(found: Collected, frames: list[int]) -> set[str]:
    """Take the images; return the base paths that need no second look."""
    handled = set()
    for image in bpy.data.images:
        # An image that is packed, generated or not used by anything needs no file.
        if not image.filepath or image.source in ("GENERATED", "VIEWER"):
            continue
        path = absolute(image.filepath, image.library)
        handled.add(path)
        if image.packed_file or getattr(image, "packed_files", None) or image.users <= int(image.use_fake_user):
            continue
        if image.source == "SEQUENCE":
            _sequence(found, image, path, frames)
        elif image.source == "TILED" or sequences.is_tiled(path):
            _tiles(found, image, path)
        else:
            found.add(path, "movie" if image.source == "MOVIE" else "image", image.name)
    return handled


def _tiles(found: Collected, image: Any, path: str) -> None:
    present = sequences.tiles(path)
    for file in present:
        found.add(file, "image", image.name)
    expected = [path.replace("<UDIM>", str(t.number)) for t in getattr(image, "tiles", ()) if "<UDIM>" in path]
    for file in expected or ([] if present else [path]):
        if file not in present:
            found.add(file, "image", image.name)


def _sequence(found: Collected, image: Any, path: str, frames: list[int]) -> None:
    sequence, played = sequences.sequence_of(path), uses(image)
    present = sequence.present() if sequence is not None else {}
    if sequence is None or played is None:
        for file in present.values() or [path]:
            found.add(file, "sequence", image.name)
        return
    for use in played:
        _played(found, image.name, present, use)
        gone = sorted({use.number(frame) for frame in frames} - set(present))
        if gone:
            detail = f"the numbers {sequences.spans(gone)} are missing"
            found.missing[path] = {"path": path, "kind": "sequence", "user": image.name, "detail": detail}


def _played(found: Collected, name: str, present: dict[int, str], use: sequences.Use) -> None:
    for number in range(use.offset + 1, use.offset + max(use.duration, 1) + 1):
        if number in present:
            span = use.frames(number)
            found.add(present[number], "sequence", name, [span] if span else None)


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
        sequence = sequences.sequence_of(path) if volume.is_sequence else None
        for file in (sequence.present().values() if sequence else ()) or [path]:
            found.add(file, "volume", volume.name)
    return handled


def _rest(found: Collected, handled: set[str]) -> None:
    """Take what else Blender names: fonts, sounds, clips, caches, texts."""
    clips = {absolute(c.filepath, c.library): c for c in bpy.data.movieclips if c.filepath}
    for raw in bpy.utils.blend_paths(absolute=True, packed=False, local=False):
        path = os.path.normpath(raw)
        clip = clips.get(path)
        sequence = sequences.sequence_of(path) if clip is not None and clip.source == "SEQUENCE" else None
        if not os.path.isabs(path) or path in handled or path in found.files or path in found.missing:
            continue
        if sequence is not None and sequence.present():
            for file in sequence.present().values():
                found.add(file, "clip", clip.name if clip else "")
        elif os.path.isdir(path):
            _folder(found, path)
        elif not raw.startswith("<") and os.path.isfile(path):
            found.add(path, "file", "")
        elif not raw.startswith("<") and os.path.splitext(path)[1]:
            _maybe_missing(found, path)


def _maybe_missing(found: Collected, path: str) -> None:
    """Report what a scene may do without: caches that were never baked, texts, unused files."""
    found.warnings.append(f"{path} is not there.")


def _caches(found: Collected, source: str) -> None:
    name = os.path.splitext(os.path.basename(source))[0]
    folder = os.path.join(os.path.dirname(source), f"blendcache_{name}")
    if os.path.isdir(folder):
        _folder(found, folder)


def _bakes(found: Collected) -> None:
    """Take the bakes of geometry nodes, whose folders Blender does not name."""
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if modifier.type == "NODES":
                for named in bake_folders(modifier):
                    folder = absolute(named, thing.library)
                    if os.path.isdir(folder):
                        _folder(found, folder)


def bake_folders(modifier: Any) -> list[str]:
    """Return the folders of a modifier's bakes, as they stand in the file."""
    own = [bake.directory for bake in getattr(modifier, "bakes", ()) if bake.use_custom_path]
    of_all = getattr(modifier, "bake_directory", "") or getattr(modifier, "simulation_bake_directory", "")
    return [folder for folder in dict.fromkeys([of_all, *own]) if folder]


def _colours(found: Collected) -> str:
    """Take the artist's own colour configuration; return its path, or nothing."""
    configuration = own_configuration()
    if configuration:
        for path in (configuration, *tables(configuration)):
            found.add(path, "colours", "")
    return configuration


def _folder(found: Collected, folder: str) -> None:
    """Take all files below a folder that Blender named, unless it is half the disk."""
    if not os.path.isabs(folder) or os.path.dirname(folder) == folder:
        return  # what a cache that was never written names
    if os.path.join(os.path.expanduser("~"), "").startswith(os.path.join(folder, "")):
        found.warnings.append(f"The folder {folder} is named in the file, but is too much to send.")
        return
    count = 0
    for at, _, names in os.walk(folder):
        for name in sorted(names):
            count += 1
            if count > FOLDER_LIMIT:
                found.warnings.append(f"The folder {folder} holds more than {FOLDER_LIMIT} files; not all are sent.")
                return
            found.add(os.path.join(at, name), "cache", "")


def _report(found: Collected, source: str, scene: Any, colours: str) -> dict[str, Any]:
    root = common_root(list(found.files))
    files = [
        {
            "path": facts.get("from", path),
            "place": place_in(root, path),
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
        "relocate": relocation(root, list(found.files)),
        "colours": place_in(root, colours) if colours else "",
        "scene": scene_facts(scene),
        "scenes": [scene_facts(s) for s in bpy.data.scenes if s.library is None],
        "cameras": sorted(o.name for o in bpy.data.objects if o.type == "CAMERA"),
    }
