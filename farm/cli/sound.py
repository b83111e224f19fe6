"""The sound of a scene, mixed down by a Blender of this machine: what its strips play is here anyway."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from farm.cli.draft import Draft
from farm.cli.output import notice, stderr
from farm.cli.renderers import found_blenders
from farm.methods.blender.command import command, environment
from farm.methods.blender.header import read_header
from farm.methods.blender.inspect import fitting
from farm.package.addon import sources
from farm.words.errors import Refused
from farm.words.ranges import FrameRange
from farm.words.settings import ClientSettings

SECONDS = 600.0
"""The longest that it may take."""


def sound_of(
    given: Path | None, source: Path | None, draft: Draft, settings: ClientSettings, kept: ExitStack
) -> Path | None:
    """Return the file with a video's sound; None: it has none.

    Args:
        given: the file that the person named.
        source: the job's file.
        draft: its draft.
        settings: where Blenders are.
        kept: ends when the file has been sent.

    Raises:
        Refused: there is no such file.
    """
    if given is not None:
        if not given.is_file():
            raise Refused(f"There is no file {given}.")
        return given
    if not draft.sound or source is None:
        return None
    frames = FrameRange.pictures(draft.frames)
    if len(frames) != frames.last - frames.first + 1:
        notice("The video gets no sound: it does not show all frames from the first to the last.")
        return None
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="distren-sound-")))
    with stderr().status(f"Mixing the sound of {source.name} …"):
        mixed = _mixed(source.absolute(), str(draft.settings["scene"]), frames, folder, settings)
    if mixed is None:
        notice("The video gets no sound: Blender could not mix it. --audio FILE names one.")
    return mixed


def _mixed(blend: Path, scene: str, frames: FrameRange, folder: Path, settings: ClientSettings) -> Path | None:
    blender = fitting(read_header(blend), found_blenders(settings), blend)
    out = folder / "sound.flac"
    given = (str(out), scene, str(frames.first), str(frames.last), str(blend))
    argv = command(blender.launcher, sources() / "mixdown.py", given)
    try:
        subprocess.run(argv, env=environment(folder), cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    return out if out.is_file() and out.stat().st_size else None
