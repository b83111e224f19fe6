"""Read POV-Ray's `.ini` files as POV-Ray does, with an eye on where each option stands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from farm.methods.povray.options import Kind, fits, from_switch, kind, plain, why_refused
from farm.words.errors import BadSetting

DEPTH = 10
"""Files that may name each other."""

LARGEST = 256 * 1024
"""Characters of one file."""

Read = Callable[[str], str | None]
"""Returns the text of a file of the job by its path; None: there is none."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option that is obeyed. `folder` is that of the file it stands in: relative paths begin there."""

    name: str
    value: str
    folder: PurePosixPath


class IniFile:
    """Options and messages of an `.ini`, and of those that it names.

    Args:
        read: gives the text of files of the job.
    """

    def __init__(self, read: Read) -> None:
        self.options: list[Option] = []
        self.messages: list[str] = []
        self._read = read

    def take(self, path: str, section: str = "", depth: int = 0) -> None:
        """Read a file.

        Args:
            path: its path in the job.
            section: the section to obey, beside what stands before the first one.
            depth: how many files named each other before this one.

        Raises:
            BadSetting: it is missing or too long, names an unknown option, or has a value that is none.
        """
        text = self._read(path)
        if text is None:
            raise BadSetting(f"The options file “{path}” is not among the job's files.")
        if len(text) > LARGEST:
            raise BadSetting(f"The options file “{path}” has more than {LARGEST:,} characters.")
        if depth > DEPTH:
            raise BadSetting(f"More than {DEPTH} options files name each other, the last one “{path}”.")
        folder, now = PurePosixPath(path).parent, ""
        for number, raw in enumerate(text.splitlines(), 1):
            line = _without_comment(raw).strip()
            if line.startswith("[") and "]" in line:
                now = line[1 : line.index("]")].strip().lower()
            elif line and now in ("", section.strip().lower()):
                self._line(line, f"{path}, line {number}", folder, depth)

    def _line(self, line: str, where: str, folder: PurePosixPath, depth: int) -> None:
        name, found, value = line.partition("=")
        if found and line[0] not in "+-" and " " not in name.strip():
            self._option(plain(name), _bare(value), where, folder)
            return
        for word in _words(line, where):
            if word[0] in "+-" and len(word) > 1:
                self._switch(word, where, folder)
            elif "=" in word:
                name, _, value = word.partition("=")
                self._option(plain(name), _bare(value), where, folder)
            elif PurePosixPath(word).suffix.lower() == ".pov":
                self._option("input_file_name", word, where, folder)
            else:
                self._file(word, folder, depth)

    def _file(self, word: str, folder: PurePosixPath, depth: int) -> None:
        name, _, section = word.partition("[")
        path = inside(folder, name if PurePosixPath(name).suffix else f"{name}.ini")
        self.take(path or name, section.rstrip("]"), depth + 1)

    def _switch(self, word: str, where: str, folder: PurePosixPath) -> None:
        pairs = from_switch(word)
        if pairs is None:
            raise BadSetting(f"{where}: POV-Ray has no switch “{word[:40]}”.")
        for name, value in pairs:
            self._option(name, value, where, folder)

    def _option(self, name: str, value: str, where: str, folder: PurePosixPath) -> None:
        match kind(name):
            case Kind.OBEYED if fits(name, value):
                self.options.append(Option(name, value, folder))
            case Kind.OBEYED:
                raise BadSetting(f"{where}: “{value[:60]}” is no value of {name}.")
            case Kind.REFUSED:
                self.messages.append(f"{where}: {name} is not obeyed: {why_refused(name)}.")
            case Kind.UNKNOWN:
                raise BadSetting(f"{where}: POV-Ray has no option “{name[:60]}”.")


def inside(folder: PurePosixPath, path: str) -> str | None:
    """Return a path that is relative to a folder of the job as a path in the job; None: it leads out of it."""
    parts: list[str] = []
    if path.startswith(("/", "\\")) or ":" in path:
        return None
    for part in (folder / path.replace("\\", "/")).parts:
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _without_comment(line: str) -> str:
    return "".join(_until_comment(line))


def _until_comment(line: str) -> Iterator[str]:
    quoted = False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif not quoted and (character == ";" or (character == "#" and not line[:place].strip())):
            return
        yield character


def _bare(value: str) -> str:
    value = value.strip()
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


def _words(line: str, where: str) -> list[str]:
    try:
        return [word for word in shlex.split(line.replace("\\", "/")) if word]
    except ValueError as error:
        raise BadSetting(f"{where}: a quotation mark has no second one.") from error
