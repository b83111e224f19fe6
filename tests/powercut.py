"""Power cuts: what a process wrote is recorded (strace), and a disk made of it as a cut at any moment would leave it.

The strict reading of POSIX: bytes are on the disk once their file was synced, names once their folder was. What was
not synced may be there or not, each write and each folder's names for themselves; names of one folder in their order.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,sendmsg,sendto,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,link,linkat,symlink,symlinkat,lseek"
)

_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")
_FILE = re.compile(r"(\w+)<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def recorded(log: Path, argv: list[str]) -> list[str]:
    """Return a command line that runs another, and records what it writes."""
    strace = ["strace", "-f", "-y", "-xx", "-s", "99999999", "--seccomp-bpf", "-e", f"trace={CALLS}"]
    return [*strace, "-e", "signal=none", "-o", str(log), *argv]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the system: its name, arguments as strace shows them, result, and the file that it opened."""

    name: str
    arguments: str
    result: int

    @property
    def file(self) -> str:
        """Return the path of the first file descriptor."""
        found = _FILE.match(self.arguments)
        return _plain(found[2]).decode(errors="surrogateescape") if found else ""

    @property
    def texts(self) -> list[bytes]:
        """Return all strings."""
        return [_plain(text) for text in _TEXT.findall(self.arguments)]

    def number(self, place: int) -> int:
        """Return a number among the arguments behind all strings and files, counted from the end."""
        return int(self.arguments.rsplit(", ", place)[1].split(",")[0], 0)


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def calls(log: Path) -> Iterator[Call]:
    """Read a record: each call when it had ended, since only then it counts."""
    begun: dict[str, str] = {}
    for line in log.read_text("latin-1").splitlines():
        if found := _BEGUN.fullmatch(line):
            begun[found[1]] = found[3]
            continue
        if found := _ENDED.fullmatch(line):
            line = f"{found[1]} {found[2]}({begun.pop(found[1], '')}{found[3]}"
        if (found := _CALL.match(line)) and int(found[4]) >= 0:
            yield Call(found[2], found[3], int(found[4]))


@dataclass(slots=True)
class _File:
    live: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    waiting: list[tuple[int, bytes] | int] = field(default_factory=list)
    """Writes (where, what) and new lengths that were not synced."""

    def apply(self, data: bytearray, change: tuple[int, bytes] | int) -> None:
        if isinstance(change, int):
            data[change:] = bytes(max(0, change - len(data)))
        else:
            at, what = change
            data.extend(bytes(max(0, at - len(data))))
            data[at : at + len(what)] = what

    def change(self, change: tuple[int, bytes] | int) -> None:
        self.apply(self.live, change)
        self.waiting.append(change)

    def after(self, dice: random.Random | None) -> bytes:
        """Return what is left of it by a power cut: what was synced, and of the rest what the dice say."""
        data = bytearray(self.kept)
        for change in self.waiting if dice else ():
            if dice and dice.random() < 0.5:
                self.apply(data, change)
        return bytes(data)

    def sync(self) -> None:
        self.kept, self.waiting = bytes(self.live), []


Changes = dict[str, "_File | bool | None"]
"""Paths that came, with their file (None: a folder), or went (False)."""


class Disk:
    """What is on a disk below a folder, and what is only in memory.

    Args:
        root: the folder; what is in it now is on the disk.
        called: as what the calls know it; None: as that.
    """

    def __init__(self, root: Path, called: Path | None = None) -> None:
        self.root = str(called or root)
        self.live: dict[str, _File | None] = {}
        self.kept: dict[str, _File | None] = {}
        self._waiting: dict[str, list[Changes]] = {}
        self._places: dict[str, int] = {}
        for path in sorted(root.rglob("*")):
            name = f"{self.root}/{path.relative_to(root)}"
            if path.is_dir() and not path.is_symlink():
                self.live[name] = None
            elif path.is_file() and not path.is_symlink():
                self.live[name] = file = _File()
                file.live = bytearray(path.read_bytes())
                file.sync()
        self.kept = dict(self.live)

    def take(self, call: Call) -> bool:
        """Apply a call; tell whether it changed something here."""
        handler = getattr(self, f"_{call.name}", None)
        return bool(handler and handler(call))

    def _inside(self, path: str) -> bool:
        return path.startswith(self.root + "/") and not path.endswith("-shm")

    def _paths(self, call: Call) -> list[str]:
        """Return the paths that a call names, whole."""
        found, folder = [], None
        for match in re.finditer(r'(?:(AT_FDCWD|\d+)<([^>]*)>)|"((?:\\x[0-9a-f]{2})*)"', call.arguments):
            if match[2] is not None:
                folder = _plain(match[2]).decode(errors="surrogateescape")
            else:
                text = _plain(match[3]).decode(errors="surrogateescape")
                found.append(text if text.startswith("/") or folder is None else f"{folder}/{text}")
        return found

    def _note(self, folders: set[str], changes: Changes) -> bool:
        """Change names: a file, None for a folder, False for what is gone."""
        _rename(self.live, changes)
        for folder in folders:
            self._waiting.setdefault(folder, []).append(changes)
        return True

    def _openat(self, call: Call) -> bool:
        path = self._paths(call)[0]
        if not self._inside(path):
            return False
        file = self.live.get(path)
        self._places[path] = len(file.live) if file and "O_APPEND" in call.arguments else 0
        if "O_CREAT" in call.arguments and path not in self.live:
            return self._note({_parent(path)}, {path: _File()})
        if "O_TRUNC" in call.arguments and file and file.live:
            file.change(0)
            return True
        return False

    def _write(self, call: Call) -> bool:
        file = self.live.get(call.file)
        if file is None or not self._inside(call.file):
            return False
        data = b"".join(call.texts)[: call.result]
        file.change((self._places.get(call.file, 0), data))
        self._places[call.file] = self._places.get(call.file, 0) + len(data)
        return True

    _writev = _write

    def _pwrite64(self, call: Call) -> bool:
        file = self.live.get(call.file)
        if file is None or not self._inside(call.file):
            return False
        file.change((call.number(1), b"".join(call.texts)[: call.result]))
        return True

    def _lseek(self, call: Call) -> bool:
        if self._inside(call.file):
            self._places[call.file] = call.result
        return False

    def _ftruncate(self, call: Call) -> bool:
        file = self.live.get(call.file)
        if file is None or not self._inside(call.file):
            return False
        file.change(call.number(1))
        return True

    def _fsync(self, call: Call) -> bool:
        path = call.file
        if path != self.root and not self._inside(path):
            return False
        file = self.live.get(path)
        if file is not None:
            file.sync()
            return True
        for changes in list(self._waiting.get(path, [])):
            self._settle(changes)
        return True

    _fdatasync = _fsync

    def _settle(self, changes: Changes) -> None:
        _rename(self.kept, changes)
        for waiting in self._waiting.values():
            waiting[:] = [each for each in waiting if each is not changes]

    def _rename(self, call: Call) -> bool:
        old, new = self._paths(call)[:2]
        if not self._inside(old) or old not in self.live:
            return False
        below = {path: what for path, what in self.live.items() if path == old or path.startswith(old + "/")}
        changes: Changes = dict.fromkeys(below, False)
        if self._inside(new):
            changes |= {new + path[len(old) :]: what for path, what in below.items()}
        return self._note({_parent(old), _parent(new)}, changes)

    _renameat = _renameat2 = _rename

    def _link(self, call: Call) -> bool:
        old, new = self._paths(call)[:2]
        return old in self.live and self._inside(new) and self._note({_parent(new)}, {new: self.live[old]})

    _linkat = _link

    def _unlink(self, call: Call) -> bool:
        path = self._paths(call)[0]
        return self._inside(path) and self._note({_parent(path)}, {path: False})

    _unlinkat = _rmdir = _unlink

    def _mkdir(self, call: Call) -> bool:
        path = self._paths(call)[0]
        return self._inside(path) and self._note({_parent(path)}, {path: None})

    _mkdirat = _mkdir

    def cut(self, target: Path, dice: random.Random | None) -> None:
        """Make a folder of what would be there after a power cut now.

        Args:
            target: the folder; it is made anew.
            dice: says what was not synced and is there all the same; None: nothing.
        """
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path, file in sorted(self._names(dice).items()):
            place = target / path[len(self.root) + 1 :]
            if not place.parent.is_dir():
                continue  # its folder is lost, and all that was in there
            if file is None:
                place.mkdir(exist_ok=True)
            else:
                place.write_bytes(file.after(dice))

    def _names(self, dice: random.Random | None) -> dict[str, _File | None]:
        """Return the names that are there after a power cut."""
        names = dict(self.kept)
        for waiting in self._waiting.values() if dice else ():
            for changes in waiting[: dice.randrange(len(waiting) + 1) if dice else 0]:
                _rename(names, changes)
        return names


def _rename(names: dict[str, _File | None], changes: Changes) -> None:
    for path, what in changes.items():
        if isinstance(what, bool):
            names.pop(path, None)
        else:
            names[path] = what


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
