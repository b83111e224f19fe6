"""What is wrong with a submission, from the submission alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from farm.jobs.rules import Rules
from farm.methods.parameters import checked_sets
from farm.methods.sets import JobSets
from farm.methods.settings import checked_settings
from farm.package.paths import checked_all
from farm.protocol.jobs import FileEntry, ParameterSet, Submission
from farm.protocol.methods import MethodDescription
from farm.words.errors import BadFrameRange, BadSetting, DistrenError, Malformed, TooLarge, UnsafePackage
from farm.words.ranges import FrameRange

Methods = Mapping[str, MethodDescription]
"""The render methods by name."""


def objections(submission: Submission, methods: Methods, rules: Rules) -> list[DistrenError]:
    """Return all that is wrong with a submission; the most telling first."""
    return [
        *_method(submission, methods),
        *_frames(submission.frames, "frames", rules.frames),
        *_sets(submission, methods, rules.frames),
        *_slaves(submission),
        *_files(submission, rules),
    ]


def settled(submission: Submission, methods: Methods, whole: FrameRange | None = None) -> dict[str, Any]:
    """Return a submission's settings in their declared types, and those that follow from its frames.

    Args:
        submission: the job.
        methods: the render methods by name.
        whole: the frames that settings follow from, if it renders only some of them.

    Raises:
        BadSetting: one is unknown, of the wrong type, or out of its limits.
    """
    method = methods[submission.requires.method]
    frames = whole or FrameRange.pictures(submission.frames)
    followed = {
        s.name: frames.first if s.follows == "first_frame" else frames.last for s in method.settings if s.follows
    }
    return checked_settings(method, {**followed, **{n: v for n, v in submission.settings.items() if v is not None}})


def settled_sets(submission: Submission, methods: Methods) -> list[ParameterSet]:
    """Return a submission's parameter sets with their settings in their declared types.

    Raises:
        BadSetting: one is wrong; says in which set.
    """
    return checked_sets(methods[submission.requires.method], submission.sets, "sets")


def _sets(submission: Submission, methods: Methods, limit: int) -> Iterator[DistrenError]:
    """Yield what is wrong with the sets, of which each renders pictures of its own."""
    if not submission.sets or submission.requires.method not in methods:
        return
    try:
        settled_sets(submission, methods)
        portions = JobSets.of(submission.frames, submission.sets).portions()
    except BadSetting as error:
        yield error
    except BadFrameRange:
        return  # it is named already
    else:
        count = sum(len(portion.pictures) for portion in portions)
        if count > limit:
            text = f"sets: {len(portions)} sets make {count:,} frames; the limit is {limit:,}."
            yield BadFrameRange(text, hint="Split the job.")


def _method(submission: Submission, methods: Methods) -> Iterator[DistrenError]:
    name = submission.requires.method
    method = methods.get(name)
    if method is None:
        known = ", ".join(sorted(methods))
        yield Malformed(f"requires.method: there is no render method “{name}”.", hint=f"There are: {known}.")
        return
    for setting, value in submission.settings.items():
        try:
            checked_settings(method, {setting: value})
        except BadSetting as error:
            yield BadSetting(f"settings: {error.message}", hint=error.hint)
    yield from _source(submission, method)


def _source(submission: Submission, method: MethodDescription) -> Iterator[DistrenError]:
    source, suffixes = submission.source, [suffix.lower() for suffix in method.source_suffixes]
    if not source:
        if suffixes:
            yield Malformed(f"source: {method.title} needs a file to open ({', '.join(suffixes)}).")
        return
    entry = next((file for file in submission.files if file.path == source), None)
    if entry is None and not any(one.overlay for one in submission.depends):
        yield Malformed(f"source: “{source[:200]}” is not among the files.", hint="Add it to files.")
    elif entry is not None and entry.frames is not None:
        yield Malformed(f"source: every frame needs “{source[:200]}”; its entry must not name some.")
    if suffixes and PurePosixPath(source).suffix.lower() not in suffixes:
        yield Malformed(f"source: {method.title} can't open “{source[:200]}”.", hint=f"It opens {', '.join(suffixes)}.")


def _frames(text: str, field: str, limit: int) -> Iterator[DistrenError]:
    try:
        FrameRange.pictures(text, limit)
    except BadFrameRange as error:
        yield BadFrameRange(f"{field}: {error.message}", hint=error.hint)


def _slaves(submission: Submission) -> Iterator[DistrenError]:
    both = sorted(set(submission.slaves) & set(submission.not_slaves))
    if both:
        yield Malformed(f"slaves: {', '.join(both)} can't be both wanted and kept away.")


def _files(submission: Submission, rules: Rules) -> Iterator[DistrenError]:
    try:
        checked_all(file.path for file in submission.files)
    except UnsafePackage as error:
        yield UnsafePackage(f"files: {error.message}", hint=error.hint)
    if submission.depends and any(file.path.casefold().startswith("depends/") for file in submission.files):
        text = "files: the folder “depends” of a job whose frames depend on others is theirs."
        yield Malformed(text, hint="Rename it.")
    sizes: dict[str, int] = {}
    for place, file in enumerate(submission.files):
        yield from _file(file, f"files[{place}] “{file.path[:200]}”", sizes, rules)


def _file(file: FileEntry, where: str, sizes: dict[str, int], rules: Rules) -> Iterator[DistrenError]:
    if file.size > rules.file_bytes:
        yield TooLarge(f"{where} has {file.size:,} bytes; the limit is {rules.file_bytes:,}.")
    if sizes.setdefault(file.sha256, file.size) != file.size:
        yield Malformed(f"{where} has the hash of another file, but not its size.")
    if file.frames is not None:
        yield from _frames(file.frames, f"{where}.frames", rules.frames)
