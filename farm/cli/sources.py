"""From what a person names to a draft: a .blend, a POV-Ray scene, a package, or a method that needs no file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from farm.cli.draft import Draft, LocalFile, wanted_frames
from farm.cli.packagesource import is_package, package_draft
from farm.methods.base import Planner
from farm.methods.parameterfile import LARGEST, read_parameters
from farm.methods.registry import METHODS
from farm.methods.registry import method as method_called
from farm.protocol.jobs import ParameterSet, Requirement
from farm.words.errors import Malformed, Refused
from farm.words.settings import ClientSettings


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
        device: what to render on: `file` (as it says), `cpu`, `gpu`, a way to graphics cards, or `any`.
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
    suffixes = {suffix: name for name, one in METHODS.items() for suffix in one.describe().source_suffixes}
    kind = method or suffixes.get(source.suffix.lower())
    if kind is None:
        hint = f"Name a package, or one of {', '.join(sorted(suffixes))}, or say --method."
        raise Malformed(f"“{source}” is no file that DistRen renders.", hint=hint)
    planner = method_called(kind)
    if isinstance(planner, Planner):
        return replace(_planned(planner, kind, source, frames, wishes, values), sets=_sets(params, kind))
    from farm.cli.blendsource import blend_draft

    sets = _sets(params, kind)
    return blend_draft(source, frames, wishes, values, newer=newer, device=device, settings=settings, sets=sets)


def _planned(
    planner: Planner, kind: str, source: Path, frames: str | None, wishes: dict[str, Any], values: dict[str, Any]
) -> Draft:
    if not source.is_file():
        raise Refused(f"There is no file {source}.")
    plan = planner.plan(source, wishes)
    if frames is None and plan.frames is None:
        raise Malformed("Which frames?", hint="The file does not say; write for example --frames 1-100.")
    files = {path.relative_to(plan.root).as_posix(): path for path in plan.files}
    return Draft(
        requires=Requirement(method=kind),
        settings=plan.settings,
        frames=wanted_frames(frames, plan.frames),
        source=next(iter(files)),
        files=[LocalFile(path, local) for path, local in sorted(files.items())],
        values={**values, "name": values.get("name") or source.stem},
        problems=list(plan.problems),
        warnings=list(plan.warnings),
        size=plan.size,
        untileable=list(plan.untileable),
    )


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
