"""From the open file to a parcel: a copy with its unsaved changes, its files, and what is to be said before it is sent.

The artist's file, its undo, paths and modified flag stay as they are.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import bpy

from . import frames as frame_ranges
from . import inspection, outputs
from .collector import collect
from .combining import combining, objections
from .comms.parcel import Combining, LocalFile, Parcel
from .copies import whole
from .places import lacking
from .wishes import BAKE, Finding, Wish
from .writes import writes

TEST_SCALE = 25
"""Percent of the resolution that a test frame has."""

NAMED = 3
"""How many pictures that lie in the way are named."""


@dataclass(frozen=True)
class Packed:
    """A parcel, the folder with the copy, where the pictures go, and the findings that stop it.

    `homes`: where the folders of File Output nodes are on this machine.
    """

    parcel: Parcel
    scratch: str
    folder: str
    findings: list[Finding]
    homes: tuple[tuple[str, str], ...]


def pack(scene: Any, wish: Wish) -> Packed:
    """Pack the open file.

    Raises:
        frames.BadFrames: the range can't be read, or is empty.
        RuntimeError, OSError: Blender can't write the copy (a full disk).
    """
    frames = _missing(scene, wanted(scene, wish), wish)
    scratch = tempfile.mkdtemp(prefix="distren-")
    try:
        return _packed(scene, wish, frames, scratch)
    except BaseException:  # Ctrl-C, too: half a copy helps nobody, least of all on a full disk
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _packed(scene: Any, wish: Wish, frames: list[int], scratch: str) -> Packed:
    copy = _copy(scratch)
    report = collect(frames, copy, studio=wish.studio)
    found = inspection.from_report(report, "{}.{}".format(*bpy.app.version[:2]))
    settings = _settings(found, scene, wish)
    folder = wish.folder or output_folder(scene)
    findings = list(_findings(found, scene, settings, frames, folder, wish))
    made = combining(found, settings, wish)
    if made.video and not findings and _heard(found, settings, frames):
        made = _with_sound(made, scene, frames, scratch)
    parcel = Parcel(
        submission=_submission(found, settings, frames, wish),
        files=[LocalFile(str(file.local), file.path, file.frames) for file in found.files],
        problems=[finding.text for finding in findings],
        notes=[text for text in (*found.warnings(settings), *made.finishing) if not text.startswith("Missing: ")],
        anyway="unfit" in wish.anyway,
        combining=made,
    )
    return Packed(parcel, scratch, folder, findings, () if wish.folder else homes(scene))


def wanted(scene: Any, wish: Wish) -> list[int]:
    """Return the frames that are wanted.

    Raises:
        frames.BadFrames: they can't be read, or are none.
    """
    if wish.test:
        return [max(0, scene.frame_current)]
    if wish.frames:
        return frame_ranges.numbers(wish.frames)
    found = list(range(max(0, scene.frame_start), scene.frame_end + 1, max(1, scene.frame_step)))
    if not found:
        raise frame_ranges.BadFrames(f"The scene ends ({scene.frame_end}) before it begins ({scene.frame_start}).")
    return found


def homes(scene: Any) -> tuple[tuple[str, str], ...]:
    """Return where the folders that the farm makes for File Output nodes belong on this machine."""
    found = outputs.places(writes(scene, False))
    return tuple((one["folder"], one["home"]) for one in found if one["folder"] and os.path.isabs(one["home"]))


def _missing(scene: Any, frames: list[int], wish: Wish) -> list[int]:
    """Return the frames whose pictures are missing, if only these are wanted.

    Raises:
        frames.BadFrames: all are there.
    """
    if not wish.only_missing or wish.test:
        return frames
    folder = wish.folder or output_folder(scene)
    left = lacking(folder, names(scene, frames))
    if not left:
        raise frame_ranges.BadFrames(f"All {len(frames)} pictures are in {folder}: there is nothing to render.")
    return left


def names(scene: Any, frames: list[int]) -> dict[int, str]:
    """Return what the pictures of frames are called."""
    return {frame: os.path.basename(scene.render.frame_path(frame=frame)) for frame in frames}


def pictures(scene: Any, folder: str) -> list[str]:
    """Return the paths of the scene's pictures that are in a folder, in the order of its frames."""
    called = names(scene, list(range(max(0, scene.frame_start), scene.frame_end + 1, max(1, scene.frame_step))))
    left = set(lacking(folder, called))
    return [os.path.join(folder, name) for frame, name in called.items() if frame not in left]


def output_folder(scene: Any) -> str:
    """Return the folder that Blender would render into; empty if a file that was never saved has none."""
    home = writes(scene, False)[0].home
    return home if os.path.isabs(home) else ""


def job_name(wish: Wish) -> str:
    """Return what the job is called."""
    name = wish.name or os.path.splitext(os.path.basename(bpy.data.filepath))[0] or "untitled"
    return f"{name}, test frame"[:200] if wish.test else name[:200]


def _copy(scratch: str) -> str:
    """Write the open file aside; Blender flushes Edit and Sculpt mode into it, and leaves paths as they are."""
    path = os.path.join(scratch, os.path.basename(bpy.data.filepath) or "untitled.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True, relative_remap=False, check_existing=False)
    if not whole(path):
        raise OSError("it ends in the middle")
    return path


def _heard(found: inspection.Inspection, settings: dict[str, Any], frames: list[int]) -> bool:
    """Tell whether a video of these frames has a sound: it has gaps if they have."""
    scene = found.chosen(settings.get("scene")) or found.scene
    return scene.sound and len(frames) == frames[-1] - frames[0] + 1


def _with_sound(made: Combining, scene: Any, frames: list[int], scratch: str) -> Combining:
    """Return what is made with the command that mixes the scene's sound, in a Blender of its own: that takes its time.

    It reads a copy whose paths are right where it lies, unlike those of the copy that is sent.
    """
    folder = os.path.join(scratch, "sound")
    os.mkdir(folder)
    blend, sound = os.path.join(folder, "scene.blend"), os.path.join(folder, "sound.flac")
    bpy.ops.wm.save_as_mainfile(filepath=blend, copy=True, relative_remap=True, check_existing=False)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mixdown.py")
    words = ("--", sound, scene.name, str(frames[0]), str(frames[-1]), blend)
    program = (bpy.app.binary_path, "-b", "--factory-startup", "-Y", "-noaudio", "--python", script)
    return replace(made, sound=sound, mix=(*(program if bpy.app.binary_path else (sys.executable, script)), *words))


def _settings(found: inspection.Inspection, scene: Any, wish: Wish) -> dict[str, Any]:
    settings = found.completed({"scene": scene.name, **wish.settings})
    if "missing" in wish.anyway:
        settings["allow_missing"] = True
    if wish.test:
        percentage = settings.get("resolution_percentage", scene.render.resolution_percentage)
        settings["resolution_percentage"] = max(1, percentage * TEST_SCALE // 100)
    return settings


def _findings(
    found: inspection.Inspection, scene: Any, settings: dict[str, Any], frames: list[int], folder: str, wish: Wish
) -> Iterator[Finding]:
    overruled = {**settings, "allow_missing": True}
    hard = found.problems(overruled)
    yield from (Finding(text, "hard") for text in [*hard, *objections(found, settings, frames, wish)])
    soft = [
        Finding(text, "missing", library=found.mended_in(text)) for text in found.problems(settings) if text not in hard
    ]
    order = wish.order or ("any" if "physics" in wish.anyway else None)
    soft += [Finding(text, "physics") for text in found.physics(settings, order)]
    soft += [Finding(text, "paint") for text in _paint()]
    # Of an engine that no slave has, the farm tells.
    soft += [Finding(_unsent(one), "addons") for one in found.addons if not (one.sent or one.engines)]
    if wish.fetch and not wish.test and not found.scene.output_error:
        soft += _output(scene, frames, folder, wish)
    yield from (finding for finding in soft if finding.kind not in wish.anyway)


def _unsent(addon: inspection.UsedAddon) -> str:
    return (
        f"The add-on {addon.name} is not sent: this farm renders for strangers. Without it, {addon.user} does nothing."
    )


def _paint() -> list[str]:
    dirty = [i.name for i in bpy.data.images if i.is_dirty and i.source in ("FILE", "TILED") and not i.packed_file]
    return [f"The painting on the image “{name}” is not saved: it would be sent as it is on disk." for name in dirty]


def _output(scene: Any, frames: list[int], folder: str, wish: Wish) -> list[Finding]:
    if not folder:
        return [Finding("This file was never saved: there is no folder that its pictures could come to.", "hard")]
    if scene.render.filepath.rstrip("\\/") in ("/tmp", "//tmp") and not wish.folder:  # noqa: S108  it is Blender's default
        return [Finding(f"The output path is Blender's default: pictures would come to {folder}.", "output")]
    called = {} if wish.replace or wish.keep else names(scene, frames)
    left = set(lacking(folder, called))
    taken = [called[frame] for frame in frames if frame in called and frame not in left]
    if not taken:
        return []
    named = ", ".join(taken[:NAMED]) + (f" and {len(taken) - NAMED} more" if len(taken) > NAMED else "")
    text = f"{folder} holds {named} already: they would stay as they are."
    return [Finding(text, "taken", f"{len(left)} of {len(frames)}")]


def _submission(
    found: inspection.Inspection, settings: dict[str, Any], frames: list[int], wish: Wish
) -> dict[str, Any]:
    members = {name: value for name, value in wish.members.items() if value not in (None, "")}
    further: dict[str, Any] = {"order": wish.order} if wish.order not in ("", BAKE) else {}
    further |= {"updates": wish.update} if wish.update else {}
    needs: dict[str, Any] = {"tags": list(wish.tags)} if wish.tags else {}
    needs |= {"pool": wish.pool} if wish.pool else {}
    return {
        "name": job_name(wish),
        "requires": {**found.requires(settings, wish.device, newer=wish.newer), **needs},
        "settings": settings,
        "source": found.source,
        "frames": frame_ranges.text(frames),
        "paused": wish.paused and not wish.update,
        "key": uuid.uuid4().hex,
        **further,
        **members,
    }
