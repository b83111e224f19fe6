"""A slave's folders with something to hide in them, and what starts in a sandbox there."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from farm.methods.base import Launch, MethodConfig, Offered, needs_of_python
from farm.methods.registry import method
from farm.sandbox.bounds import Bounds
from farm.slave.containment import Containment, Rooms, contain
from farm.slave.folders import Folders
from farm.slave.limits import Allowance
from farm.slave.session import Session, Work
from tests.slave.test_agent import settings
from tests.slave.test_session import CHILD


class Place:
    """A slave's folders with secrets in them, and a job's tree."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.settings = settings(base, sandbox="required")
        self.folders = Folders.of(self.settings)
        self.lock = self.folders.claim()
        self.tree = self.folders.jobs / "1-1"
        self.other = self.folders.jobs / "2-1"
        for folder in (self.tree, self.other):
            folder.mkdir()
            (folder / "scene.txt").write_text("a job's file")
        self.settings.cache.mkdir(parents=True)
        self.rooms = Rooms.make(self.folders.sessions, "1-")
        self.sessions: list[Session] = []

    async def containment(self, offered: list[Offered] | None = None) -> Containment:
        return await contain(self.settings, self.folders, offered or method("sleep").offers(MethodConfig()))

    async def start(self, launch: Launch, bounds: Bounds | None = None) -> Session:
        contained = (await self.containment()).around(launch, self.tree, self.rooms)
        given = {"bounds": bounds} if bounds else {}
        session = await Session.start(contained, self.rooms.folder, self.folders.records(), "job 1", **given)
        self.sessions.append(session)
        return session

    async def child(self, code: str, bounds: Bounds | None = None) -> Session:
        source = CHILD + textwrap.dedent(code) + "\nmain(render)\n"
        needs = needs_of_python(Path(sys.executable))
        launch = Launch([sys.executable, "-c", source], {"PATH": "/usr/bin"}, self.rooms.scratch, needs=needs)
        session = await self.start(launch, bounds)
        await session.open({"do": "open"}, Allowance(20, 20))
        return session

    def work(self, attempt: int = 1) -> Work:
        output = self.rooms.output / str(attempt)
        output.mkdir()
        return Work("Frame 7 of job 1", attempt, 7, 7, output, Allowance(60, 60), lambda fraction, memory: None)
