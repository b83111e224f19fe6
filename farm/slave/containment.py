"""Whether renderers run contained here, and how: tried at each start by really running them so."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from farm.methods.base import Launch, Offered
from farm.methods.registry import method
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.sandbox.bubblewrap import Bubblewrap, Cage
from farm.sandbox.wipe import wipe
from farm.slave.folders import Folders
from farm.slave.session import Session
from farm.slave.shaders import SHADERS
from farm.words.errors import DistrenError, NotASetup, RendererFailed
from farm.words.folders import user_folder
from farm.words.settings import SlaveSettings

log = structlog.get_logger(__name__)

_SOURCE = "trial.blend"
_EMPTY_BLEND = b"BLENDER-v250ENDB" + bytes(20)
"""Never opened; methods look at the header of what they are to open."""

_MEND = "Mend it, or set sandbox = off in slave.conf if you trust everybody whose jobs are rendered here."
_USER_NAMESPACES = "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu 24.04 and newer \
kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for bwrap)."


@dataclass(frozen=True, slots=True)
class Containment:
    """How renderers are started.

    Args:
        bubblewrap: the program around them; None: they run like any other program.
        hidden: the slave's own folders.
        reason: why they are not contained.
        mend: what helps.
    """

    bubblewrap: Bubblewrap | None = None
    hidden: tuple[Path, ...] = ()
    reason: str = "sandbox = off"
    mend: str = ""

    @property
    def works(self) -> bool:
        """Tell whether renderers are contained."""
        return self.bubblewrap is not None

    @property
    def words(self) -> str:
        """Say how it is, for people."""
        return "contained by bubblewrap" if self.works else f"not contained: {self.reason}"

    def around(self, launch: Launch, root: Path, rooms: Rooms) -> Launch:
        """Return a session's start inside of the sandbox, or as it is if there is none.

        Args:
            launch: how the method starts it.
            root: the job's tree.
            rooms: the session's own folders.
        """
        if self.bubblewrap is None:
            return launch
        shaders = [Path(launch.env[SHADERS])] if SHADERS in launch.env else []
        for folder in (rooms.tmp, *shaders):
            folder.mkdir(parents=True, exist_ok=True)
        unfinished = [rooms.unfinished] if rooms.unfinished and launch.resumes else []
        writes = (rooms.scratch, rooms.output, *shaders, *unfinished)
        cage = Cage((*map(_narrow, launch.needs), root), writes, rooms.tmp, self.hidden)
        argv = self.bubblewrap.around(launch.argv, launch.cwd, cage)
        return replace(launch, argv=argv, contained=self.bubblewrap.program.name)


@dataclass(frozen=True, slots=True)
class Rooms:
    """A session's own folders. Only the inner ones are shown to the renderer: the log lies outside.

    A program that could swap the log for a link would have this slave read or write what it likes.
    """

    folder: Path
    unfinished: Path | None = None
    """Where frames that broke off wait; it outlives the session."""

    @classmethod
    def make(cls, within: Path, prefix: str, unfinished: Path | None = None) -> Rooms:
        """Make the folders of a new session."""
        rooms = cls(Path(tempfile.mkdtemp(prefix=prefix, dir=within)), unfinished)
        for folder in (rooms.scratch, rooms.output, rooms.tmp):
            folder.mkdir()
        return rooms

    @property
    def scratch(self) -> Path:
        """The renderer's home and working folder."""
        return self.folder / "scratch"

    @property
    def output(self) -> Path:
        """Where frames are written before this slave takes them out."""
        return self.folder / "output"

    @property
    def tmp(self) -> Path:
        """What it sees as /tmp."""
        return self.folder / "tmp"


async def contain(settings: SlaveSettings, folders: Folders, offered: list[Offered]) -> Containment:
    """Find out whether all renderers work contained.

    Raises:
        NotASetup: they don't, and `sandbox = required`.
    """
    if settings.sandbox == "off":
        return Containment()
    hidden = (settings.state, settings.work, settings.cache, user_folder("config"))
    try:
        found = Containment(await asyncio.to_thread(Bubblewrap.find), tuple(map(Path.absolute, hidden)), "")
        await asyncio.gather(*(try_contained(found, folders, one) for one in offered))
    except DistrenError as error:
        if settings.sandbox == "required":
            text = f"sandbox = required, but renderers can't be contained: {error.message}"
            raise NotASetup(text, hint=error.hint or _MEND) from error
        return Containment(None, (), error.message, error.hint)
    return found


async def try_contained(containment: Containment, folders: Folders, offered: Offered) -> None:
    """Start a renderer contained and wait for its first word.

    Raises:
        NotASetup: it does not start so.
    """
    rooms = Rooms.make(folders.sessions, "trial-")
    root = rooms.folder / "tree"
    root.mkdir()
    (root / _SOURCE).write_bytes(_EMPTY_BLEND)
    launch = method(offered.offer.method).launch(offered, trial_sheet(offered, _SOURCE), root, rooms.scratch)
    try:
        launch = containment.around(launch, root, rooms)
        session = await Session.start(launch, rooms.folder, folders.records(), "no job")
        try:
            await session.greet()
        except RendererFailed as error:
            raise _unfit(offered, session.log.tail() or error.message) from error
        finally:
            await session.kill()
    finally:
        await asyncio.to_thread(wipe, rooms.folder)


def _unfit(offered: Offered, said: str) -> NotASetup:
    last = (said.strip().splitlines() or ["it said nothing"])[-1][:300]
    log.info("A renderer does not start in the sandbox", program=str(offered.launcher.program), said=said[-2000:])
    hint = _USER_NAMESPACES if last.startswith("bwrap") and "ermi" in last else _MEND
    return NotASetup(f"{offered.launcher.program} does not start in bubblewrap: {last}", hint=hint)


def trial_sheet(offered: Offered, source: str, settings: dict[str, Any] | None = None) -> JobSheet:
    """Return the sheet of no job, to try a renderer with."""
    offer = offered.offer
    texts = {"address": "", "name": "trial", "engine": "", "source": source}
    return JobSheet(
        **texts, job=0, revision=0, method=offer.method, version=offer.version, newer=False, settings=settings or {},
        limits=Limits(), files=[],
    )  # fmt: skip


def _narrow(folder: Path) -> Path:
    """Return a folder that may be shown.

    Raises:
        NotASetup: it holds people's homes, or the whole system.
    """
    if Path.home().is_relative_to(folder) or folder in map(Path, ("/", "/etc", "/var", "/tmp", "/opt")):  # noqa: S108
        raise NotASetup(
            f"A renderer lies directly in {folder}, and jobs would see all that is in there.",
            hint="Move it into a folder of its own, and name it in slave.conf.",
        )
    return folder.absolute()
