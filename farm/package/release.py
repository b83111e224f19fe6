"""This very DistRen as a wheel, built from the files that are installed here.

A server offers itself so to its slaves, and any copy can be told from any other by its build. The same files
make the same bytes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import io
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import farm
from farm import __version__
from farm.package.paths import checked_all
from farm.words.durable import sync_file, sync_folder
from farm.words.errors import HashMismatch, NotASetup, TooLarge, UnsafePackage

PACKAGES = ("farm", "blender_addon")
"""What a wheel consists of, beside its description."""

DIST = "distren"
NAME = f"{DIST}-{__version__}-py3-none-any.whl"
"""The file's name, as pip wants it."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the wheel: no earlier one can be written."""

LARGEST = 64 * 1024 * 1024
"""Bytes that a wheel's files may have together, twenty times what they have."""

_NEED = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9][0-9.]*)")


@dataclass(frozen=True, slots=True)
class Release:
    """A wheel.

    Args:
        build: tells its files from those of any other: the first letters of their common hash.
    """

    version: str
    build: str
    sha256: str
    wheel: bytes


@functools.cache
def build() -> str:
    """Return the build of what runs here: 16 letters."""
    return _build_of(_hashes(_files()))


@functools.cache
def release() -> Release:
    """Build the wheel of what runs here."""
    files = _files()
    build, folder = _build_of(_hashes(files)), f"{DIST}-{__version__}.dist-info"
    files |= {f"{folder}/{name}": text.encode() for name, text in _description().items()}
    record = "".join(f"{name},sha256={_base64(data)},{len(data)}\n" for name, data in sorted(files.items()))
    files[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    wheel = buffer.getvalue()
    return Release(__version__, build, hashlib.sha256(wheel).hexdigest(), wheel)


def unpack(wheel: Path, sha256: str, folder: Path) -> None:
    """Unpack a wheel, so that no power cut takes it back; an unfinished one has another name.

    Args:
        wheel: the file.
        sha256: what it must hash to (hex).
        folder: where its files go; must not exist.

    Raises:
        HashMismatch: it is another file.
        UnsafePackage: it is no wheel of ours: a path leads elsewhere, or is none of DistRen's.
        TooLarge: it is far larger than DistRen.
    """
    data = wheel.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise HashMismatch(f"{wheel.name} is not the file that the server announced.", hint="Try again.")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in _checked(archive):
                path = part / PurePosixPath(entry.filename)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(entry))
                sync_file(path)
    except (zipfile.BadZipFile, EOFError) as error:
        raise UnsafePackage(f"{wheel.name} is no wheel: {error}.") from error
    part.replace(folder)
    sync_folder(folder.parent)


def lacking(folder: Path) -> list[str]:
    """Return the packages that an unpacked wheel needs and that are not here, or too old, in words."""
    found = next(folder.glob(f"{DIST}-*.dist-info/METADATA"), None)
    lines = found.read_text("utf-8").splitlines() if found else []
    needs = [line.partition(":")[2].strip() for line in lines if line.startswith("Requires-Dist:")]
    return [text for text in map(_lack, needs) if text]


def _lack(need: str) -> str:
    """Return what is wrong with one need; empty: nothing. Those with a condition are tried by importing."""
    plain = _NEED.fullmatch(need)
    if plain is None:
        return ""
    name, least = plain.groups()
    try:
        here = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} {least} or newer, which is not here"
    return f"{name} {least} or newer; here is {here}" if _numbers(here) < _numbers(least) else ""


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    checked_all(entry.filename for entry in entries)
    for entry in entries:
        if not entry.filename.startswith((*(f"{name}/" for name in PACKAGES), f"{DIST}-")):
            raise UnsafePackage(f"The wheel has a file that is none of DistRen's: “{entry.filename[:120]}”.")
    if sum(entry.file_size for entry in entries) > LARGEST:
        raise TooLarge(f"The wheel's files have more than {LARGEST:,} bytes.")
    return entries


def _files() -> dict[str, bytes]:
    """Return the installed files by their paths in a wheel.

    Raises:
        NotASetup: some are not installed.
    """
    home, found = Path(farm.__file__).parent.parent, dict[str, bytes]()
    for package in PACKAGES:
        paths = [path for path in (home / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        if not paths:
            raise NotASetup(f"The folder {package} is not installed beside farm.", hint="Install DistRen anew.")
        found |= {path.relative_to(home).as_posix(): path.read_bytes() for path in paths}
    return found


def _hashes(files: dict[str, bytes]) -> str:
    return "".join(f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(files.items()))


def _build_of(hashes: str) -> str:
    return hashlib.sha256(hashes.encode()).hexdigest()[:16]


def _description() -> dict[str, str]:
    """Return the files that say to pip and Python what this is: what the installed ones say, of this version.

    Raises:
        NotASetup: nothing is said here.
    """
    try:
        told = importlib.metadata.metadata(DIST)
    except importlib.metadata.PackageNotFoundError as error:
        raise NotASetup("DistRen runs here without being installed.", hint="Install it: pip install .") from error
    single = {name: told[name] for name in ("Metadata-Version", "Name", "Summary", "Requires-Python") if name in told}
    lines = [f"{name}: {value}" for name, value in {**single, "Version": __version__}.items()]
    lines += [f"{name}: {value}" for name in ("Provides-Extra", "Requires-Dist") for value in told.get_all(name) or ()]
    return {
        "METADATA": "\n".join(lines) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: distren\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": f"[console_scripts]\n{DIST} = farm.cli.main:main\n",
    }


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
