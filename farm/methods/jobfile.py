"""A job's description as a message: `distrenjob.xml` → submission, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from farm.methods.parameterfile import LARGEST, read_parameters
from farm.methods.parameters import checked_sets
from farm.methods.registry import METHODS, method
from farm.methods.settings import checked_settings, is_path
from farm.package.jobxml import Element, Line, read, write
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, Limits, ParameterSet, Requirement, Submission
from farm.protocol.methods import MethodDescription
from farm.words import faults
from farm.words.errors import BadFrameRange, BadPackage, BadSetting
from farm.words.ranges import FrameRange

_Message = TypeVar("_Message")
_TEXTS = ("name", "project", "comment", "source", "priority", "order", "approval", "paused")


Read = Callable[[str, int], bytes]
"""Gives the beginning of a file of the package: its path, and how many bytes at most."""


def submission(data: bytes, files: Sequence[FileEntry], read_file: Read) -> Submission:
    """Return the job that a package describes.

    Args:
        data: its `distrenjob.xml`.
        files: all other files of the package.
        read_file: reads one of these.

    Raises:
        BadPackage: something in it is unknown, wrong or missing; says where.
    """
    root = read(data, frozenset(METHODS))
    own = _own(root)
    values: dict[str, Any] = {name: one.text for name in _TEXTS if (one := root.one(name))}
    try:
        return Submission(
            requires=_requires(root, own.name),
            settings=_settings(own, METHODS[own.name].describe()),
            sets=_sets(root, METHODS[own.name].describe(), {file.path for file in files}, read_file),
            frames=_frames(root),
            files=_files(root, files),
            limits=_limits(root),
            depends=[_dependency(element) for element in root.all("depends")],
            **{"name": own.name, **_slaves(root), **values},
        )
    except ValidationError as error:
        raise _placed(root, error) from error


def description(job: Submission) -> bytes:
    """Return the `distrenjob.xml` of a job; the same job always gives the same bytes."""
    declared = method(job.requires.method).describe()
    own = _setting_lines(job.settings, declared)
    lines: list[Line] = [("name", {}, job.name)]
    lines += [(name, {}, getattr(job, name)) for name in ("project", "comment", "source") if getattr(job, name)]
    lines += [("frames", {}, job.frames), ("priority", {}, job.priority)]
    lines += [("order", {}, job.order.value), ("approval", {}, _text(job.approval))]
    lines += [("paused", {}, _text(job.paused))] if job.paused else []
    lines += [("depends", _told(one), []) for one in job.depends]
    lines += [*_slave_lines(job), *_limit_lines(job), _requirement_line(job.requires)]
    lines.append((job.requires.method, {}, own))
    sets: list[Line] = [
        ("set", {"name": one.name or None, "frames": one.frames}, _setting_lines(one.settings, declared))
        for one in job.sets
    ]
    lines += [("sets", {}, sets)] if sets else []
    some: list[Line] = [
        ("file", {"path": file.path, "frames": file.frames}, []) for file in _by_path(job) if file.frames
    ]
    return write([*lines, ("files", {}, some)] if some else lines)


def _own(root: Element) -> Element:
    found = [child for child in root.children if child.name in METHODS]
    if not found:
        root.refuse(
            "no element says the render method.", hint=f"Write one of: {', '.join(f'<{m}/>' for m in METHODS)}."
        )
    if len(found) > 1:
        found[1].refuse(f"there are two render methods, <{found[0].name}> and <{found[1].name}>.")
    return found[0]


def _settings(own: Element, description: MethodDescription) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for child in own.children:
        if child.name not in _known(description) and not is_path(description, child.name):
            hint = f"It has: {', '.join([*_named(description), *description.paths])}."
            child.refuse(f"<{description.name}> has no setting <{child.name[:60]}>.", hint=hint)
        if child.children:
            child.refuse(f"<{child.name}> holds text only.")
        try:
            settings |= checked_settings(description, {child.name: child.text})
        except BadSetting as error:
            child.refuse(error.message, hint=error.hint)
    return settings


def _sets(root: Element, description: MethodDescription, here: set[str], read_file: Read) -> list[ParameterSet]:
    """Return the parameter sets: those of the file that is named, and those that are written out."""
    named = root.one("parameters")
    found = _from_file(named, description, here, read_file) if named else []
    for element in (root.one("sets") or root).all("set"):
        told = {**element.attributes, "settings": _settings(element, description)}
        one = _checked(element, partial(ParameterSet.model_validate, told))
        try:
            found = [*found, *checked_sets(description, [*found, one])[-1:]]
        except BadSetting as error:
            element.refuse(error.message, hint=error.hint)
    return found


def _from_file(element: Element, description: MethodDescription, here: set[str], read_file: Read) -> list[ParameterSet]:
    if element.text not in here:
        element.refuse(f"the parameter file “{element.text[:200]}” is not in the package.")
    try:
        return read_parameters(read_file(element.text, LARGEST + 1), element.text, description)
    except BadSetting as error:
        element.refuse(error.message, hint=error.hint)


def _setting_lines(settings: Mapping[str, Any], description: MethodDescription) -> list[Line]:
    """Return settings in the order in which they are declared, then the properties by their paths."""
    paths = sorted(name for name in settings if is_path(description, name))
    names = [name for name in (*_known(description), *paths) if settings.get(name) is not None]
    return [(name, {}, _text(settings[name])) for name in names]


def _known(description: MethodDescription) -> list[str]:
    return [setting.name for setting in description.settings]


def _named(description: MethodDescription) -> list[str]:
    return [setting.name for setting in description.settings if not setting.follows]


def _frames(root: Element) -> str:
    """Return all frames together; one that is named twice is a mistake."""
    seen: set[int] = set()
    for element in (child for child in root.children if child.name in ("frames", "frame")):
        if element.name == "frame" and not element.text.isdigit():
            element.refuse(f"“{element.text[:40]}” is no frame number.", hint="Ranges belong into <frames>.")
        try:
            these = FrameRange.pictures(element.text)
        except BadFrameRange as error:
            element.refuse(error.message, hint=error.hint)
        twice = seen.intersection(these)
        if twice:
            element.refuse(f"frame {min(twice)} is named twice.")
        seen.update(these)
    if not seen:
        root.refuse("there are no frames.", hint="Write <frames>1-120</frames>.")
    return str(FrameRange.of(seen))


def _requires(root: Element, name: str) -> Requirement:
    element = root.one("requires")
    if element is None:
        return Requirement(method=name)
    lists = {"addons": [one.text for one in element.all("addon")], "tags": [one.text for one in element.all("tag")]}
    return _checked(element, lambda: Requirement.model_validate({"method": name, **lists, **element.attributes}))


def _limits(root: Element) -> Limits:
    element = root.one("limits")
    return _checked(element, lambda: Limits.model_validate(element.attributes)) if element else Limits()


def _dependency(element: Element) -> Dependency:
    if element.text:
        element.refuse("<depends> has attributes, and no text.", hint='Write <depends match="previous"/>.')
    return _checked(element, lambda: Dependency.model_validate(element.attributes))


def _told(one: Dependency) -> dict[str, str]:
    return {name: _text(value) for name, value in one.model_dump(exclude_defaults=True).items()}


def _slaves(root: Element) -> dict[str, Any]:
    element = root.one("slaves")
    if element is None:
        return {}
    lists = {
        "slaves": [one.text for one in element.all("only")],
        "not_slaves": [one.text for one in element.all("not")],
    }
    return {**lists, "max_slaves": element.attributes.get("max")}


def _files(root: Element, files: Sequence[FileEntry]) -> list[FileEntry]:
    """Return the manifest, in the one order of a package; some files name the frames that need them."""
    element, here, frames = root.one("files"), {file.path for file in files}, dict[str, str]()
    for file in element.all("file") if element else []:
        path, wanted = file.attributes.get("path", ""), file.attributes.get("frames", "")
        if path not in here:
            file.refuse(f"the file “{path[:200]}” is not in the package.")
        try:
            frames[path] = str(FrameRange.pictures(wanted))
        except BadFrameRange as error:
            file.refuse(error.message, hint=error.hint)
    return [file.model_copy(update={"frames": frames.get(file.path)}) for file in sorted(files, key=lambda f: f.path)]


def _checked(element: Element, made: Callable[[], _Message]) -> _Message:
    try:
        return made()
    except ValidationError as error:
        element.refuse(f"{faults.first(error)}.")


def _placed(root: Element, error: ValidationError) -> BadPackage:
    """Return the error with the place of the element that it is about."""
    fault = error.errors()[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    element = root.one(name) or root.one("slaves" if "slaves" in name else name) or root
    text = f"{element.place}: {name}: {faults.in_words(fault)}."
    return BadPackage(text, line=element.line, column=element.column)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)


def _slave_lines(job: Submission) -> list[Line]:
    names: list[Line] = [("only", {}, name) for name in job.slaves]
    names += [("not", {}, name) for name in job.not_slaves]
    return [("slaves", {"max": job.max_slaves}, names)] if names or job.max_slaves else []


def _limit_lines(job: Submission) -> list[Line]:
    limits = {name: _text(value) for name, value in job.limits.model_dump().items() if value is not None}
    return [("limits", limits, [])] if limits else []


def _requirement_line(requires: Requirement) -> Line:
    facts = {"version": requires.version, "newer": "true" if requires.newer else None}
    facts |= {"engine": requires.engine, "device": requires.device, "pool": requires.pool}
    words: list[Line] = [("addon", {}, addon) for addon in requires.addons]
    words += [("tag", {}, tag) for tag in requires.tags]
    return ("requires", {name: value or None for name, value in facts.items()}, words)


def _by_path(job: Submission) -> list[FileEntry]:
    return sorted(job.files, key=lambda file: file.path)
