"""Which paths may be inside a job: relative, plain, and the same on every system."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from farm.words.errors import UnsafePackage

_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def checked(path: str) -> str:
    """Return a path of a job as it is, if it is safe.

    Args:
        path: a relative path with `/` between its parts.

    Raises:
        UnsafePackage: absolute, upwards, with a drive, a backslash, a control character,
            an empty part, a part that Windows can't hold, or too long.
    """
    reason = _objection(path)
    if reason:
        raise UnsafePackage(f"The path “{path[:120]!s}” {reason}.", hint="Rename the file, or leave it out.")
    return path


def checked_all(paths: Iterable[str]) -> list[str]:
    """Return paths that are safe each, and distinct even where case does not count.

    Raises:
        UnsafePackage: one is unsafe, given twice, equals another but for case, or is
            also a folder of another.
    """
    seen: dict[str, str] = {}
    result = [checked(p) for p in paths]
    for path in result:
        if path.casefold() in seen:
            raise UnsafePackage(f"“{path}” and “{seen[path.casefold()]}” can't both be in one job.")
        seen[path.casefold()] = path
    for path in result:
        for parent in PurePosixPath(path.casefold()).parents:
            if str(parent) in seen:
                raise UnsafePackage(f"“{seen[str(parent)]}” is a file and a folder at once.")
    return result


def _objection(path: str) -> str:
    parts = path.split("/")
    if not path or len(path.encode("utf-8", "surrogatepass")) > 1000:
        return "is empty or longer than 1000 bytes"
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in path):
        return "holds a control character"
    if path.startswith("/") or "\\" in path or ":" in path:
        return "is absolute, or holds a drive letter, a colon or a backslash"
    if any(p in ("", ".", "..") for p in parts):
        return "holds an empty part, '.' or '..'"
    if any(len(p.encode()) > 255 for p in parts):
        return "has a part longer than 255 bytes"
    if any(p.split(".")[0].rstrip().lower() in _DEVICES or p[-1] in " ." for p in parts):
        return "has a part that Windows can't hold"
    return ""
