"""From what a person names to a draft: a .blend, a POV-Ray scene, a package, or a method that needs no file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from farm.cli.draft import Draft, wanted_frames
from farm.cli.packagesource import is_package, package_draft
from farm.cli.povsource import pov_draft
from farm.protocol.jobs import Requirement
from farm.words.errors import Malformed
from farm.words.settings import ClientSettings

SUFFIXES = {".blend": "blender", ".pov": "povray", ".ini": "povray"}
"""The method that opens a file, by the file's suffix."""


def draft_for(
    source: Path | None,
    method: str | None,
    frames: str | None,
    wishes: dict[str, Any],
    values: dict[str, Any],
    *,
    newer: bool,
    settings: ClientSettings,
    kept: ExitStack,
    device: str = "file",
) -> Draft:
    """Return the draft of a job.

    Args:
        source: the file that the person named, if any.
        method: the render method; None: told by the file's suffix.
        frames: the range that the person wants; None: the file's own.
        wishes: settings that the person wants.
        values: further members of the submission.
        newer: a newer renderer will do too.
        settings: where the Blenders are that can read a file.
        kept: ends when the files have been sent.
        device: what to render on: `file` (as it says), `cpu`, `gpu` or `any`.

    Raises:
        Malformed: there is neither a file nor a method, or the file is of no known kind.
        Refused: the file can't be read.
    """
    if source is None:
        if not method:
            raise Malformed("Which file?", hint="Name a .blend file: distren submit shot.blend")
        return _bare(method, frames, wishes, values)
    if is_package(source):
        return package_draft(source, frames, wishes, values, kept)
    kind = method or SUFFIXES.get(source.suffix.lower())
    if kind is None:
        hint = "Name a .blend, .pov, .ini or package, or say --method."
        raise Malformed(f"“{source}” is no file that DistRen renders.", hint=hint)
    if kind == "povray":
        return pov_draft(source, frames, wishes, values)
    from farm.cli.blendsource import blend_draft

    return blend_draft(source, frames, wishes, values, newer=newer, device=device, settings=settings)


def _bare(method: str, frames: str | None, wishes: dict[str, Any], values: dict[str, Any]) -> Draft:
    if frames is None:
        raise Malformed("Which frames?", hint="Without a file to tell them, say --frames 1-100.")
    named = {**values, "name": values.get("name") or method}
    return Draft(Requirement(method=method), wishes, wanted_frames(frames, None), values=named)
