"""The draft of a job from a package: a tarball, or a folder with `distrenjob.xml`."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from farm.cli.draft import Draft, LocalFile, wanted_frames
from farm.methods.jobfile import submission
from farm.package.archive import entries
from farm.package.hashing import CHUNK
from farm.package.jobxml import NAME
from farm.package.paths import checked_all
from farm.protocol.jobs import FileEntry, Submission
from farm.words.errors import BadPackage, UnsafePackage

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst")
LIMIT = 10**13
"""Bytes that a package on one's own disk may unpack to; the tar policy stops bombs before."""

_UNKNOWN = "0" * 64


def is_package(source: Path) -> bool:
    """Tell whether a file or folder is a package."""
    return source.is_dir() or source.name.lower().endswith(SUFFIXES)


def package_draft(
    source: Path, frames: str | None, wishes: dict[str, Any], values: dict[str, Any], kept: ExitStack
) -> Draft:
    """Return the draft of a package's job; what a person says counts more than its description.

    Args:
        source: the tarball or folder.
        frames: the range that the person wants; None: the package's.
        wishes: settings that the person wants.
        values: further members of the submission; what is empty or usual is the package's.
        kept: ends when the files have been sent.

    Raises:
        BadPackage: the description is missing or wrong.
        UnsafePackage: the tarball breaks the tar policy.
    """
    paths = listed(source) if source.is_dir() else _unpacked(source, kept)
    if NAME not in paths:
        raise BadPackage(f"There is no {NAME} at the top of {source}.")
    data = paths.pop(NAME).read_bytes()
    job = submission(data, packed_files(paths), partial(beginning, paths))
    return Draft(
        requires=job.requires,
        settings={**job.settings, **wishes},
        sets=job.sets,
        frames=wanted_frames(frames, job.frames),
        source=job.source,
        files=[LocalFile(file.path, paths[file.path], file.frames) for file in job.files],
        values=_merged(job, values),
    )


def packed_files(paths: dict[str, Path]) -> list[FileEntry]:
    """Return a manifest whose hashes are not known yet."""
    return [FileEntry(path=path, sha256=_UNKNOWN, size=local.stat().st_size) for path, local in paths.items()]


def beginning(paths: dict[str, Path], path: str, most: int) -> bytes:
    """Return the first bytes of one of a package's files."""
    with paths[path].open("rb") as stream:
        return stream.read(most)


def listed(folder: Path) -> dict[str, Path]:
    """Return the files of a job's folder by their paths in the job; hidden ones are left out.

    Raises:
        BadPackage: there is no description.
        UnsafePackage: a path is none for every system, or no plain file.
    """
    found: dict[str, Path] = {}
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(top) / name
            if not path.is_file():
                raise UnsafePackage(f"{path} is no plain file.")
            found[path.relative_to(folder).as_posix()] = path
    if NAME not in found:
        raise BadPackage(f"There is no {NAME} at the top of {folder}.", hint="The reference page “package” shows one.")
    checked_all(found)
    return found


def unpack_into(package: Path, folder: Path) -> dict[str, Path]:
    """Unpack a tarball into a folder that is empty or new; return its files by their paths in the job.

    Raises:
        UnsafePackage, TooLarge: it breaks the tar policy; then nothing is left of it.
    """
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.resolve().parent))
    try:
        names = _extract(package, part)
        checked_all(names)
        folder.mkdir(parents=True, exist_ok=True)
        folder.rmdir()
        part.chmod(0o755)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {name: folder / name for name in names}


def _extract(package: Path, folder: Path) -> list[str]:
    names: list[str] = []
    with package.open("rb") as source:
        for member in entries(cast(BinaryIO, source), LIMIT):
            target = folder / member.name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as stream:
                    shutil.copyfileobj(member.data, stream, CHUNK)
            except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                raise UnsafePackage(f"“{member.name[:120]}” is in the tarball twice.") from error
            names.append(member.name)
    return names


def _unpacked(tarball: Path, kept: ExitStack) -> dict[str, Path]:
    return unpack_into(tarball, Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="distren-"))) / "job")


def _merged(job: Submission, values: dict[str, Any]) -> dict[str, Any]:
    own = job.model_dump(exclude={"requires", "settings", "sets", "frames", "source", "files", "key"})
    limits = {name: value for name, value in (values.get("limits") or {}).items() if value is not None}
    usual = {"priority": 50, "limits": values.get("limits")}
    said = {name: value for name, value in values.items() if value and value != usual.get(name)}
    return {**own, **said, "limits": {**own["limits"], **limits}}
