"""Render one frame as jobs' frames are rendered, to know that this machine can: when it joins, after an upgrade."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from farm.methods.base import PROCESSOR, Launch, Offered
from farm.methods.registry import method
from farm.pictures.checker import Checker
from farm.sandbox.takeout import take_out
from farm.sandbox.wipe import wipe
from farm.slave.cardtrial import contained
from farm.slave.containment import Containment, Rooms, contain, trial_sheet
from farm.slave.fault import trouble
from farm.slave.finishing import look
from farm.slave.folders import Folders
from farm.slave.limits import Allowance
from farm.slave.renderers import probe
from farm.slave.session import Session, Work
from farm.slave.shaders import kept
from farm.words.errors import RendererFailed
from farm.words.settings import SlaveSettings
from farm.words.states import FailureClass

_ALLOWED = Allowance(render_seconds=900.0)
"""A cold start from a slow disk, and shaders to compile."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A test frame: which renderer, on what, in how many seconds, how large in pixels."""

    renderer: str
    device: str
    seconds: float
    width: int
    height: int

    def __str__(self) -> str:
        size = f", {self.width}x{self.height} pixels" if self.width else ""
        return f"{self.renderer} on {self.device}: {self.seconds:.1f} s{size}"


def rendered(settings: SlaveSettings, folders: Folders | None = None, installed: Path | None = None) -> list[Rendered]:
    """Render a test frame with the best renderer of each method.

    Args:
        settings: the slave's.
        folders: where, beside a slave that runs; None: in the slave's own, while none runs.
        installed: the folder of renderers that the slave installed, if it is not in `folders`.

    Raises:
        NotASetup: there is no renderer, or a slave uses the folders.
        RendererFailed: says which renderer failed, and how.
    """
    folders = folders or Folders.of(settings)
    return asyncio.run(_all(settings, folders, installed or folders.installed))


async def _all(settings: SlaveSettings, folders: Folders, installed: Path) -> list[Rendered]:
    lock = await asyncio.to_thread(folders.claim)
    try:
        offered = await asyncio.to_thread(probe, settings, folders.known, installed)
        containment = await contain(settings, folders, offered)
        if containment.works:
            offered = await asyncio.to_thread(contained, containment, folders, offered)
        return await test_frames(folders, offered, containment)
    finally:
        lock.release()


async def test_frames(folders: Folders, offered: list[Offered], containment: Containment) -> list[Rendered]:
    """Render a test frame with the best renderer of each method that renders, as jobs' frames are rendered.

    Raises:
        RendererFailed: says which renderer failed, and how.
    """
    best: dict[str, Offered] = {}
    for one in offered:
        if not method(one.offer.method).describe().combines:
            best.setdefault(one.offer.method, one)
    return [await _one(folders, one, containment) for one in best.values()]


async def _one(folders: Folders, offered: Offered, containment: Containment) -> Rendered:
    rooms = Rooms.make(folders.sessions, "test-", folders.unfinished / "test")
    root, output = rooms.folder / "tree", rooms.folder / "taken"
    root.mkdir()
    try:
        sample = await asyncio.to_thread(method(offered.offer.method).sample, offered, root)
        sheet = trial_sheet(offered, sample.source, {"scripts": False, **sample.settings})
        launch = method(offered.offer.method).launch(offered, sheet, root, rooms.scratch)
        device = offered.cards[0] if offered.cards else PROCESSOR
        opening = {"device": {"kind": device.kind, "id": device.id}, **launch.open}
        env = {**launch.env, **kept(folders.shaders_of("test"))}
        around = containment.around(replace(launch, open=opening, env=env, resumes=False), root, rooms)
        seconds, width, height = await _render(folders, offered, around, rooms, output)
        name = f"{offered.offer.method} {offered.offer.version}".strip()
        return Rendered(name, device.name or "the processor", seconds, width, height)
    finally:
        await asyncio.to_thread(wipe, rooms.folder)


async def _render(
    folders: Folders, offered: Offered, launch: Launch, rooms: Rooms, output: Path
) -> tuple[float, int, int]:
    """Render it; return its seconds, width and height, once its picture was decoded."""
    what = f"The test frame of {offered.offer.method} {offered.offer.version}"
    session = await Session.start(launch, rooms.folder, folders.records(), what)
    try:
        await session.greet()
        await session.open(launch.open, _ALLOWED, offered.offer.version)
        reach = rooms.output / "1"
        reach.mkdir()
        work = Work(what, 1, 1, 1, reach, _ALLOWED, lambda _fraction, _memory: None)
        done = await session.render(work)
        done = await asyncio.to_thread(done.moved, lambda names: take_out(reach, names, output))
        async with Checker() as checker:
            looked = await look(checker, done, rooms.folder)
        for name, facts in looked.items():
            if not facts.ok:
                raise trouble(
                    f"{what} has a bad file “{name}”: {facts.message}", FailureClass.SLAVE, session.log.tail()
                )
    except RendererFailed as error:
        error.facts.setdefault("log", session.log.tail())
        raise
    else:
        main = next(iter(looked.values()))
        return done.seconds, main.width, main.height
    finally:
        await session.kill()
