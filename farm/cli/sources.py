"""From what a person names to a draft: a .blend, a POV-Ray scene, a package, or a method that needs no file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from farm.cli.draft import Draft, wanted_frames
from farm.cli.packagesource import is_package, package_draft
from farm.cli.povsource import pov_draft
from farm.methods.parameterfile import LARGEST, read_parameters
from farm.methods.registry import method as method_called
from farm.protocol.jobs import ParameterSet, Requirement
from farm.words.errors import Malformed, Refused
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
    params: Path | None = None,
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
        params: a parameter file; all frames are rendered with each of its sets.

    Raises:
        Malformed: there is neither a file nor a method, or the file is of no known kind.
        Refused: the file can't be read.
    """
    if source is None:
        if not method:
            raise Malformed("Which file?", hint="Name a .blend file: distren submit shot.blend")
        return replace(_bare(method, frames, wishes, values), sets=_sets(params, method))
    if is_package(source):
        draft = package_draft(source, frames, wishes, values, kept)
        return replace(draft, sets=_sets(params, draft.requires.method) or draft.sets)
    kind = method or SUFFIXES.get(source.suffix.lower())
    if kind is None:
        hint = "Name a .blend, .pov, .ini or package, or say --method."
        raise Malformed(f"“{source}” is no file that DistRen renders.", hint=hint)
    if kind == "povray":
        return replace(pov_draft(source, frames, wishes, values), sets=_sets(params, kind))
    from farm.cli.blendsource import blend_draft

    sets = _sets(params, kind)
    return blend_draft(source, frames, wishes, values, newer=newer, device=device, settings=settings, sets=sets)


def _sets(params: Path | None, kind: str) -> list[ParameterSet]:
    if params is None:
        return []
    if not params.is_file():
        raise Refused(f"There is no parameter file {params}.")
    with params.open("rb") as stream:
        return read_parameters(stream.read(LARGEST + 1), params.name, method_called(kind).describe())


def _bare(method: str, frames: str | None, wishes: dict[str, Any], values: dict[str, Any]) -> Draft:
    if frames is None:
        raise Malformed("Which frames?", hint="Without a file to tell them, say --frames 1-100.")
    named = {**values, "name": values.get("name") or method}
    return Draft(Requirement(method=method), wishes, wanted_frames(frames, None), values=named)
