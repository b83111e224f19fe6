"""`pack` and `unpack`: a job as one file."""

from __future__ import annotations

import contextlib
import gzip
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from farm.cli.options import Json, Overwrite
from farm.cli.output import emit, say, size
from farm.cli.packagesource import beginning, listed, packed_files, unpack_into
from farm.methods.jobfile import submission
from farm.package import canonical
from farm.package.jobxml import NAME
from farm.words.errors import Conflict, Malformed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def pack(
    folder: Annotated[Path, typer.Argument(help=f"The job's folder, with {NAME} at its top.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .tar, .tar.gz or .tar.zst; usually FOLDER.tar.zst."),
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Pack a job's folder into one file, in the form that is the same everywhere.

    The description is read before: what is wrong in it is named with line and column.
    """
    target = output or Path(f"{folder.resolve().name}.tar.zst")
    if target.exists() and not overwrite:
        raise Conflict(f"{target} is here already.", hint="Name another with -o, or say --overwrite.")
    paths = {path: local for path, local in listed(folder).items() if local.resolve() != target.resolve()}
    files = packed_files({path: local for path, local in paths.items() if path != NAME})
    job = submission(paths[NAME].read_bytes(), files, partial(beginning, paths))
    with _compressed(target) as stream:
        length = 0
        for path in [NAME, *sorted(file.path for file in files)]:
            with paths[path].open("rb") as source:
                length += canonical.write_file(stream, path, paths[path].stat().st_size, source)
        stream.write(canonical.ending(length))
    if json:
        emit({"file": str(target), "size": target.stat().st_size, "files": len(files), "name": job.name})
    else:
        say(f"{target} ({size(target.stat().st_size)}) has the job “{job.name}” with {len(files)} files.")


def unpack(
    package: Annotated[Path, typer.Argument(help="A .tar, .tar.gz or .tar.zst.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to; usually the file's name.")
    ] = None,
    json: Json = False,
) -> None:
    """Unpack a job's file into a new folder.

    Links, devices, and paths that lead out of it are refused, and then nothing is unpacked.
    """
    place = folder or Path(package.name.split(".tar")[0].removesuffix(".tgz"))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise Conflict(f"{place} is here already.", hint="Name another folder.")
    paths = unpack_into(package, place)
    if json:
        emit({"folder": str(place), "files": sorted(paths)})
    else:
        say(f"{len(paths)} files are in {place}.")


@contextlib.contextmanager
def _compressed(target: Path) -> Iterator[BinaryIO]:
    """Open a file that is written compressed, as its name says; it appears when it is whole."""
    name, part = target.name.lower(), target.with_name(f".{target.name}.part")
    if not name.endswith((".tar", ".tar.gz", ".tgz", ".tar.zst")):
        raise Malformed(f"{target} is no name for a package.", hint="It ends in .tar, .tar.gz or .tar.zst.")
    try:
        with part.open("wb") as raw:
            if name.endswith("zst"):
                with zstd.ZstdFile(raw, "w") as stream:
                    yield cast(BinaryIO, stream)
            elif name.endswith("gz"):
                # Without the time of packing, so that the same folder gives the same file.
                with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as stream:
                    yield cast(BinaryIO, stream)
            else:
                yield raw
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
