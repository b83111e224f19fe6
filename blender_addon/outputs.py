"""Which folders of a job stand for those that a scene writes to, and what would clash or not fit.

A frame on the farm has one folder. The scene's own picture lies in it directly, as in the
folder that the output path names; each other folder of the file becomes a folder below.
Knows nothing of Blender.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NAMED = 10
"""How many clashes are named one by one."""

LIMIT = 20_000
"""The most characters of the setting."""

_VIDEO = re.compile(r"\.(mp4|m4v|mkv|avi|mov|webm|ogv|ogg|mpe?g|dv|flv|vob|m2ts?|ts)$", re.IGNORECASE)
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """Something that is written with every frame.

    Args:
        user: who writes it, for people.
        path: the folder as the file names it, up to the first part in which Blender replaces something.
        home: this folder on the artist's machine.
        name: what comes behind it, without suffix; the last run of `#` is the frame's number.
        suffix: the file's, with its dot.
    """

    user: str
    path: str
    home: str
    name: str
    suffix: str


def still(path: str) -> str:
    """Return the beginning of the names that a video's single frames get: `film.mp4` becomes `film_`."""
    cut = _VIDEO.sub("", path)
    name = re.split(r"[/\\]", cut)[-1]
    return f"{cut}_" if cut != path and name and "#" not in name and name[-1] not in "_-. " else cut


def places(written: Sequence[Written]) -> list[dict[str, str]]:
    """Return which folders among a frame's files stand for which at home: path, folder, home of each."""
    folders: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for one in written:
        if one.home not in folders:
            folders[one.home] = _folder(one, folders) if folders else ""
        if one.path:
            found[one.path] = {"path": one.path, "folder": folders[one.home], "home": one.home}
    return list(found.values())


def setting(written: Sequence[Written], video: str) -> str:
    """Return the value of the job's setting `outputs`; empty if it would be too long.

    Args:
        written: all that the scene writes.
        video: the format of its output, if that is a video.
    """
    text = json.dumps({"places": places(written), **({"video": video} if video else {})})
    return text if len(text) <= LIMIT else ""


def clashes(written: Sequence[Written], numbers: Iterable[int]) -> list[str]:
    """Return who would write over whom, one sentence each.

    Args:
        written: all that the scene writes.
        numbers: some frames of the range; padding may tell names apart at one and not at another.
    """
    found: dict[tuple[Written, Written], str] = {}
    for number in numbers:
        first: dict[str, Written] = {}
        for one in written:
            path = f"{_slashed(one.home)}/{numbered(one, number)}"
            other = first.setdefault(path.casefold(), one)
            if other is not one:
                users = f"{one.user}, twice," if other.user == one.user else f"{other.user} and {one.user}"
                found.setdefault((other, one), _sentence(f"{users} would write the same file: {path}."))
    more = len(found) - NAMED
    return [*list(found.values())[:NAMED], *([f"{more} more files would be written twice."] if more > 0 else [])]


def unfit(written: Sequence[Written]) -> list[str]:
    """Return which names can't travel, one sentence each: some systems of a farm can't hold them."""
    found = []
    for one in written:
        parts = numbered(one, 1).split("/")
        if ".." in parts:
            found.append(f"{one.user} writes “{one.name}” below {one.path}: name that folder without “..”.")
        elif "{" not in one.name and any(_UNFIT.search(p) or _DEVICE.match(p) or p.endswith((" ", ".")) for p in parts):
            found.append(f"{one.user} writes “{one.name}”, a name that not every system can hold: choose another.")
    return [_sentence(text) for text in found]


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def numbered(written: Written, number: int) -> str:
    """Return the path of a frame's file below its folder, as Blender makes it; `{…}` stay as they are."""
    folder, slash, name = written.name.rpartition("/")
    runs = list(re.finditer("#+", re.sub(r"\{[^}]*\}", lambda found: "_" * len(found[0]), name)))
    if runs:
        start, end = runs[-1].span()
        name = f"{name[:start]}{number:0{end - start}d}{name[end:]}"
    else:
        name = f"{name}{number:04d}"
    ended = name.lower().endswith(written.suffix.lower())
    return f"{folder}{slash}{name if ended else name + written.suffix}"


def _folder(one: Written, taken: dict[str, str]) -> str:
    """Return a folder that stands for a place: its own last part, or all of it if it is below the .blend's."""
    parts = [p for p in re.split(r"[/\\]", one.path) if p not in ("", ".", "..") and not p.endswith(":")]
    parts = parts if one.path.startswith("//") else parts[-1:]
    base = "/".join(map(_fit, parts or re.split(r"[/\\]", one.home.rstrip("/\\"))[-1:])) or "files"
    first, slash, rest = base.partition("/")
    folder, count = base, 1
    while not all(_apart(folder, one.home, other, home) for home, other in taken.items() if other):
        count += 1
        folder = f"{first}-{count}{slash}{rest}"
    return folder


def _apart(folder: str, home: str, other: str, home_of_other: str) -> bool:
    """Tell whether two folders don't mix: a folder in another stands for a folder in that other's place."""
    a, b = folder.casefold(), other.casefold()
    if a == b:
        return False
    if a.startswith(f"{b}/"):
        return _slashed(home) == f"{_slashed(home_of_other)}{folder[len(other) :]}"
    if b.startswith(f"{a}/"):
        return _slashed(home_of_other) == f"{_slashed(home)}{other[len(folder) :]}"
    return True


def _slashed(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")


def _fit(part: str) -> str:
    """Return a folder's name that every system can hold."""
    plain = _UNFIT.sub("_", part).rstrip(" .") or "_"
    return f"_{plain}" if _DEVICE.match(plain) else plain
