"""A job before it is sent: what a source says, and what the person wishes instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, ParameterSet, Requirement, Submission
from farm.words import faults
from farm.words.errors import BadSetting, Malformed
from farm.words.ranges import FrameRange

HASHERS = 2
"""Files hashed at once: SHA-256 lets other threads run, and disks like few readers."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine, and its place in the job; `frames` None: every frame needs it."""

    path: str
    local: Path
    frames: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What the pictures of a .blend are called: their folder, and the name that frames' names are made of."""

    home: str
    name: str
    of: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that could be submitted, but for the hashes of its files.

    Args:
        values: members of :class:`Submission`, but for `files`.
        problems: what stops it.
        warnings: what a person should know.
        picture: what its pictures are called; None: nobody knows here.
        fps: the scene's pictures per second; None: it does not say.
        size: width and height of the pictures; None: nobody knows yet.
        sound: the scene has some.
        untileable: why the pictures can't be put together from tiles.
        finishing: what has to be done with whole pictures once their tiles are put together.
        unbaked: its simulations that are not baked, in words; None: nobody looked.
        unready: what stops it as long as they are not, and the person has not said how to render it.
    """

    requires: Requirement
    settings: dict[str, Any]
    frames: str
    source: str = ""
    files: list[LocalFile] = field(default_factory=list)
    sets: list[ParameterSet] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    picture: Picture | None = None
    fps: float | None = None
    size: tuple[int, int] | None = None
    sound: bool = False
    untileable: list[str] = field(default_factory=list)
    finishing: list[str] = field(default_factory=list)
    unbaked: list[str] | None = None
    unready: list[str] = field(default_factory=list)

    def needing(self, version: str, addons: Sequence[str], tags: Sequence[str] = (), pool: str = "") -> Draft:
        """Return the draft with what a person says that its slaves must have.

        Args:
            version: `4.5` or `4.5.9`; empty: the source's.
            addons: each `name`, or `name=version`.
            tags: of slaves; none: as the source says.
            pool: of slaves; empty: as the source says.

        Raises:
            Malformed: a value does not fit, or the version is older than the source's.
        """
        said: dict[str, Any] = {"version": version, "addons": addons, "tags": tags, "pool": pool}
        told = {name: value for name, value in said.items() if value}
        try:
            wanted = Requirement.model_validate({**self.requires.model_dump(), **told})
        except ValidationError as error:
            first = error.errors()[0]
            raise Malformed(
                f"--{str(first['loc'][0]).replace('addons', 'addon')}: {faults.in_words(first)}."
            ) from error
        if _line(wanted.version) < _line(self.requires.version):
            text = f"--version {version} is older than the {self.requires.version} that wrote the file."
            raise Malformed(text, hint="Older Blenders lose what newer ones wrote. Name a newer one.")
        return replace(self, requires=wanted)

    def submission(self, files: list[FileEntry]) -> Submission:
        """Return the message; without files it is one to be checked only, unless another job brings its source.

        Raises:
            Malformed: a value does not fit; says which.
        """
        try:
            return Submission(
                requires=self.requires,
                settings=self.settings,
                sets=self.sets,
                frames=self.frames,
                source=self.source if files or self._brought else "",
                files=files,
                **self.values,
            )
        except ValidationError as error:
            first = error.errors()[0]
            where = "-".join(str(part) for part in first["loc"][:1]).replace("_", "-")
            raise Malformed(f"{where}: {faults.in_words(first)}.") from error

    @property
    def _brought(self) -> bool:
        """Files of another job are laid over its own."""
        return any(one.overlay for one in self.values.get("depends", ()))


def _line(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2] if part]


def hashed(
    files: list[LocalFile],
    on_bytes: Callable[[int], None],
    hash_one: Callable[[Path], tuple[str, int]] = hash_file,
) -> tuple[list[FileEntry], dict[str, Path]]:
    """Hash files; return the manifest, and one path for each hash."""

    def entry(file: LocalFile) -> FileEntry:
        sha256, size = hash_one(file.local)
        on_bytes(size)
        return FileEntry(path=file.path, sha256=sha256, size=size, frames=file.frames)

    with ThreadPoolExecutor(HASHERS, thread_name_prefix="hash") as pool:
        entries = list(pool.map(entry, files))
    return entries, {e.sha256: file.local for e, file in zip(entries, files, strict=True)}


def settings_given(pairs: list[str], named: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a command line gives.

    Args:
        pairs: of `--set`, each `name=value`.
        named: of options of their own (`--samples`); None: not given.

    Raises:
        BadSetting: a pair has no `=`, or a setting is given twice.
    """
    settings = {name: value for name, value in named.items() if value is not None}
    for pair in pairs:
        name, found, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not found or not name:
            raise BadSetting(f"“--set {pair}” sets nothing.", hint="Write --set samples=64.")
        if name in settings:
            raise BadSetting(f"The setting {name} is given twice.")
        settings[name] = value
    return settings


def wanted_frames(given: str | None, of_source: str | None) -> str:
    """Return the frames to render: those of the command line, else those of the source.

    Raises:
        BadFrameRange: they can't be read, or are none.
    """
    return str(FrameRange.pictures(given if given is not None else of_source or ""))
