"""From a form to a POV-Ray job's submission."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from farm.api import problem
from farm.api.forms.intake import Taken
from farm.files.store import BlobStore
from farm.methods.parameterfile import LARGEST as LARGEST_PARAMETERS
from farm.methods.parameterfile import read_parameters
from farm.methods.povray.describe import description
from farm.methods.povray.inifile import LARGEST
from farm.methods.povray.shot import Shot, shot
from farm.methods.settings import checked_settings
from farm.protocol.depends import written
from farm.protocol.jobs import Limits, ParameterSet, Requirement, Submission
from farm.words.errors import Malformed

_LIMITS = {"render_limit": "render_seconds", "silence_limit": "silence_seconds"}
_PLAIN = ("name", "project", "comment", "priority", "max_slaves", "approval", "paused", "key")
_LISTS = ("slaves", "not_slaves")
_OWN = ("scene", "frames", "depends", "params", *_LIMITS, *_PLAIN, *_LISTS)


def drafted(form: Taken, store: BlobStore) -> tuple[Submission, list[str]]:
    """Return the job that a form asks for, and what a person should know of it. Reads options files.

    Raises:
        Malformed: there is no scene, or a field is unknown or wrong.
        BadSetting: a setting or a line of an `.ini` is wrong.
    """
    fields, source = form.fields, _source(form)
    wishes = {name: value for name, value in fields.items() if name not in _OWN}
    _no_strangers(wishes)
    settings = checked_settings(description(), wishes)
    wanted = shot(source, settings, _reader(form, store))
    values: dict[str, Any] = {
        **{name: fields[name] for name in _PLAIN if fields.get(name)},
        **{name: fields[name].split(",") for name in _LISTS if fields.get(name)},
        "depends": [written(text) for text in fields.get("depends", "").split()],
        "limits": Limits.model_validate({ours: fields[name] for name, ours in _LIMITS.items() if fields.get(name)}),
    }
    values.setdefault("name", PurePosixPath(source).stem)
    try:
        submission = Submission(
            requires=Requirement(method="povray"),
            settings=settings,
            sets=_sets(form, store),
            source=source,
            frames=fields.get("frames") or wanted.frames,
            files=form.files,
            **values,
        )
    except ValidationError as error:
        raise problem.malformed(error) from error
    return submission, list(_remarks(wanted, submission))


def _no_strangers(wishes: dict[str, str]) -> None:
    known = {setting.name for setting in description().settings if not setting.follows}
    for name in wishes:
        if name not in known:
            raise Malformed(
                f"The form's field “{name[:60]}” is unknown.", hint=f"There are: {', '.join([*_OWN, *sorted(known)])}."
            )


def _source(form: Taken) -> str:
    named = form.fields.get("scene") or form.named.get("scene")
    if named:
        return named
    scenes = [file.path for file in form.files if file.path.lower().endswith((".pov", ".ini"))]
    if len(scenes) == 1:
        return scenes[0]
    text = f"Which of these is the scene: {', '.join(sorted(scenes)[:10])}?" if scenes else "There is no scene."
    raise Malformed(text, hint="Send it as -F scene=@scene.pov, or name one of the files: -F scene=scenes/scene.pov")


def _sets(form: Taken, store: BlobStore) -> list[ParameterSet]:
    """Return the parameter sets: of a file that was sent or is named, or written into the field itself."""
    path, text = form.named.get("params"), form.fields.get("params")
    known = {file.path: file for file in form.files}
    if path or text in known:
        with store.local(known[path or str(text)].sha256).open("rb") as stream:
            return read_parameters(stream.read(LARGEST_PARAMETERS + 1), path or str(text), description())
    if not text:
        return []
    name = "params.json" if text.lstrip().startswith("{") else "params"
    return read_parameters(text.encode(), name, description())


def _reader(form: Taken, store: BlobStore) -> Any:
    known = {file.path: file for file in form.files}

    def read(path: str) -> str | None:
        file = known.get(path)
        if file is None:
            return None
        with store.local(file.sha256).open("rb") as stream:
            return stream.read(LARGEST + 1).decode("utf-8", "replace")

    return read


def _remarks(wanted: Shot, submission: Submission) -> Iterator[str]:
    yield from wanted.messages
    known = {file.path for file in submission.files}
    if wanted.scene not in known:
        raise Malformed(f"The scene “{wanted.scene}” is not among the files.", hint="Send it, too: -F file=@scene.pov")
