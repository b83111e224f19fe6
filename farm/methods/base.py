"""What every render method can do: describe itself, find its renderers, start a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from farm.protocol.methods import MethodDescription
from farm.protocol.slaves import JobSheet, Offer

PART = ".part-"
"""In the names of installations that are being made."""


@dataclass(frozen=True, slots=True)
class MethodConfig:
    """Where a method looks for its renderers.

    Args:
        programs: renderers that a person named; they come first, and must work.
        environments: folders that hold environments which :mod:`provision` made.
        search: look on PATH and in the usual places too.
        cache: the file that remembers what was tried; None tries everything anew.
        cards: try graphics cards too; only who renders needs to know.
        addons: the folder of add-ons that the machine's owner put there; None: there is none.
    """

    programs: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    search: bool = True
    cache: Path | None = None
    cards: bool = False
    addons: Path | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """What a session renders on: the processor, or one graphics card by one of its kinds.

    Args:
        kind: `CPU`, `OPTIX`, `CUDA`, `HIP`, `METAL` or `ONEAPI`.
        id: the renderer's own word for it.
        name: for people.
        card: one and the same for all kinds of a card.
    """

    kind: str = "CPU"
    id: str = ""
    name: str = ""
    card: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


PROCESSOR = Device()


@dataclass(frozen=True, slots=True)
class Launcher:
    """How to start a renderer: `kind` is the method's own word, `program` what is run."""

    kind: str
    program: Path


@dataclass(frozen=True, slots=True)
class Offered:
    """A renderer that was tried and works: what the server hears of it, and how to start it.

    Args:
        cards: the graphics cards that it can use, the best kind of each first.
        addons: the folder of the add-ons that it offers.
        engines: engines that are an add-on's, and whose.
    """

    offer: Offer
    launcher: Launcher
    cards: tuple[Device, ...] = ()
    addons: Path | None = None
    engines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launch:
    """A session to start: the process, and the first message for it.

    Args:
        needs: the folders and files that the renderer itself consists of, beside the system's.
        contained: the name of the program that `argv` runs the renderer in, if it does.
        resumes: it can go on with frames that broke off, and gets a folder that outlives the session.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: Path
    open: dict[str, Any] = field(default_factory=dict)
    needs: tuple[Path, ...] = ()
    contained: str = ""
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A scene to try a renderer with: the file to open, empty if there is none, and the settings of its one frame."""

    source: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def needs_of_python(program: Path) -> tuple[Path, ...]:
    """Return the folders that an interpreter needs: its environment, and the Python that made it."""
    environment, base = program.absolute().parent.parent, program.resolve().parent.parent
    config = environment / "pyvenv.cfg"
    lines = config.read_text("utf-8", "replace").splitlines() if config.is_file() else []
    homes = [
        Path(value.strip()).parent for key, _, value in (ln.partition("=") for ln in lines) if key.strip() == "home"
    ]
    return (environment, base, *homes)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a source becomes as a job.

    Args:
        root: the folder that becomes the job's.
        files: all that it needs from there, the source first.
        settings: the job's.
        frames: those that the source asks for; None: it does not say.
        problems: what stops it, a sentence each.
        warnings: what a person should know.
        size: width and height of the pictures; None: nobody knows yet.
        untileable: why the pictures can't be put together from tiles, a sentence each.
    """

    root: Path
    files: tuple[Path, ...]
    settings: dict[str, Any]
    frames: str | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    untileable: tuple[str, ...] = ()


@runtime_checkable
class Planner(Protocol):
    """A method that tells from a source alone what it needs. (What a .blend needs, only a Blender can tell.)"""

    def plan(self, source: Path, settings: dict[str, Any]) -> Plan:
        """Return what a source needs.

        Args:
            source: a file on this machine; it is there.
            settings: what the person wants, as they wrote it.
        """
        ...


class Method(Protocol):
    """One renderer behind a common face."""

    name: str

    def describe(self) -> MethodDescription:
        """Return the name, help and declared settings."""
        ...

    def offers(self, found: MethodConfig) -> list[Offered]:
        """Return the renderers that work here, the best first."""
        ...

    def installs(self) -> list[str]:
        """Return the versions (`major.minor`) that can be installed here without a person."""
        ...

    def install(self, version: str, folder: Path, limit: int, cache: Path) -> None:
        """Install a version (`major.minor`, or just one patch) and try it; it may take minutes.

        Args:
            version: which.
            folder: where such installations are kept; a name in :class:`MethodConfig.environments`.
            limit: bytes that all of them may use.
            cache: where trials are remembered.

        Raises:
            NotASetup: it does not work here; nothing is left of it.
        """
        ...

    def broken(self, offered: Offered, card: Device, scratch: Path, around: Callable[[Launch], Launch]) -> str:
        """Try a graphics card as a session would use it; return why it does not work, else an empty text.

        Args:
            offered: the renderer.
            card: one of its cards.
            scratch: a folder for temporary files.
            around: puts the sandbox around a start.
        """
        ...

    def sample(self, offered: Offered, folder: Path) -> Sample:
        """Write a small scene into a folder: its frame 1 shows that the machine renders.

        Raises:
            RendererFailed: the renderer can't make it.
        """
        ...

    def launch(self, offered: Offered, sheet: JobSheet, root: Path, scratch: Path) -> Launch:
        """Return how to start a session for a job.

        Args:
            offered: the renderer.
            sheet: the job.
            root: the folder with the job's files, in the artist's own tree.
            scratch: a folder of the session's own, for temporary files.
        """
        ...
