"""The command line that runs a program inside bubblewrap: it reaches what its cage names, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from farm.words.errors import NotASetup

_USR = Path("/usr")
_MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives",
    "drirc",
    "egl",
    "fonts",
    "glvnd",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "OpenCL",
    "povray",
    "vulkan",
)
"""What programs need to find libraries, fonts, drivers and the time zone: no accounts, no secrets."""

_MACHINE = ("/sys/devices/system/cpu", "/sys/devices/system/node", "/var/cache/fontconfig", "/run/opengl-driver")
_CARDS = ("/dev/dri", "/dev/kfd", "/dev/nvidia*")
_CARD_FACTS = ("/sys/bus/pci", "/sys/class/drm", "/sys/dev/char", "/sys/devices", "/sys/module/nvidia")
_SHARED_MEMORY = "2147483648"
_THREADS = 8192
"""Processes and threads of one sandbox, which Linux counts apart (from 5.14 on): what multiplies is faster than the
slave's looks. For root it does not count; then only the looks remain."""

_OPTIONAL = ("--disable-userns", "--size")
"""Options that older versions of bubblewrap lack."""


@dataclass(frozen=True, slots=True)
class Cage:
    """What a contained process reaches, all under its own path.

    Args:
        reads: folders and files that it may read.
        writes: folders that it may write, too.
        tmp: the folder that it sees as /tmp.
        hidden: folders that it must not see, though they may lie inside one of `reads`.
    """

    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    tmp: Path
    hidden: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """The program, which of the optional options it knows, and the program that limits how many threads there are."""

    program: Path
    options: frozenset[str]
    prlimit: str | None = None

    @classmethod
    def find(cls) -> Bubblewrap:
        """Return the bubblewrap of this machine.

        Raises:
            NotASetup: there is none.
        """
        if sys.platform != "linux":
            raise NotASetup(f"bubblewrap exists on Linux only, and this is {sys.platform}.", hint="Set sandbox = off.")
        found = shutil.which("bwrap")
        if found is None:
            raise NotASetup("bubblewrap is not installed.", hint="Debian and Ubuntu: sudo apt-get install bubblewrap")
        said = subprocess.run([found, "--help"], capture_output=True, text=True, errors="replace", timeout=20)
        text = said.stdout + said.stderr
        options = frozenset(option for option in _OPTIONAL if option in text)
        return cls(Path(found), options, shutil.which("prlimit", path="/usr/bin:/bin"))

    def around(self, argv: Sequence[str], cwd: Path, cage: Cage) -> list[str]:
        """Return the argument list that runs another one in a cage.

        Args:
            argv: the program and its arguments.
            cwd: its working folder, inside of the cage.
            cage: what it reaches.
        """
        alone = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        alone += ["--unshare-cgroup-try", "--hostname", "slave", "--die-with-parent", "--cap-drop", "ALL"]
        if "--disable-userns" in self.options:
            alone.append("--disable-userns")
        parts = [*_system(), *_devices(), *self._shared_memory(), *_mounts(cage, argv[0]), *_sealed(cage)]
        return [str(self.program), *alone, *parts, "--chdir", str(cwd), "--", *self._limited(), *argv]

    def _limited(self) -> list[str]:
        """Return what limits the threads: inside, where they are counted without this user's other ones."""
        return [self.prlimit, f"--nproc={_THREADS}", "--"] if self.prlimit else []

    def _shared_memory(self) -> list[str]:
        return ["--size", _SHARED_MEMORY, "--tmpfs", "/dev/shm"] if "--size" in self.options else []  # noqa: S108


def _sealed(cage: Cage) -> Iterator[str]:
    """Make what bubblewrap itself made read-only.

    Its empty folders lie in memory and could be filled; in /proc/sys, a slave that runs as root
    could change the whole machine.
    """
    for folder in ("/", "/dev", "/proc", *map(str, _masked(cage))):
        yield from ("--remount-ro", folder)


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for folder in map(Path, _MERGED):
        if folder.is_symlink():
            yield from ("--symlink", os.readlink(folder), str(folder))  # noqa: PTH115  Path.readlink() would do the same
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for place in _MACHINE:
        yield from ("--ro-bind-try", place, place)


def _devices() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    cards = sorted(card for pattern in _CARDS for card in Path("/").glob(pattern.lstrip("/")))
    for card in cards:
        yield from ("--dev-bind-try", str(card), str(card))
    for place in _CARD_FACTS if cards else ():
        yield from ("--ro-bind-try", place, place)


def _mounts(cage: Cage, program: str) -> Iterator[str]:
    """Yield the mounts, the outer ones first: an inner one would vanish behind an outer one that comes later."""
    reads = [path for path in cage.reads if path.exists() and not _known(path)]
    mounts: list[tuple[Path, tuple[str, ...]]] = [(Path("/tmp"), ("--bind", str(cage.tmp)))]  # noqa: S108
    mounts += [(path, ("--ro-bind", str(path))) for path in reads]
    mounts += [(path, ("--tmpfs",)) for path in _masked(cage)]
    mounts += [(path, ("--bind", str(path))) for path in cage.writes]
    links = [link for link in _links(Path(program)) if not any(map(link.is_relative_to, (*reads, _USR)))]
    mounts += [(link, ("--symlink", os.readlink(link))) for link in links if not _known(link)]  # noqa: PTH115
    for path, words in sorted(mounts, key=lambda mount: len(mount[0].parts)):
        yield from (*words, str(path))


def _masked(cage: Cage) -> list[Path]:
    """Return the hidden folders that would be seen: those inside of what may be read."""
    return sorted({h for h in cage.hidden if h.is_dir() and any(h.is_relative_to(read) for read in cage.reads)})


def _known(path: Path) -> bool:
    """Tell whether a path is part of the system, and seen anyway."""
    return path.is_relative_to(_USR) or any(path.is_relative_to(folder) for folder in _MERGED)


def _links(program: Path) -> Iterator[Path]:
    """Yield the symbolic links that lead to a program, one by one: a Python finds its packages by them."""
    seen = 0
    while program.is_symlink() and seen < 40:
        yield program
        program, seen = program.parent / os.readlink(program), seen + 1  # noqa: PTH115
