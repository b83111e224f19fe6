"""Every process of a farm is killed (SIGKILL) at random, again and again, while it renders; each starts again."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from farm.files.disk import DiskStore
from farm.methods.base import Offered
from farm.protocol.jobs import JobView
from farm.slave.cache import BlobCache
from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.databases import MariaDB, mariadb_server
from tests.farm.artist import renderer, submit_unchecked
from tests.farm.balanced import BalancedFarm
from tests.farm.people import people, set_right
from tests.farm.processes import Process
from tests.farm.test_povray import SCENE, submit
from tests.server.test_underpath import NGINX

pytestmark = [
    pytest.mark.soak,
    pytest.mark.mariadb,
    pytest.mark.blender,
    pytest.mark.skipif(not NGINX.exists(), reason="There is no nginx here."),
]
RENDERERS = ("povray", "driver.py", "farm.methods.sleep")
WEIGHTS = {"server": 4, "slave": 3, "renderer": 3, "database": 1, "balancer": 1, "child": 1}
"""Kinds of processes, and how often each is hit. A child: a server's or slave's that looks at pictures."""


class Chaos:
    """Kills what a farm consists of, and starts it again as systemd does.

    Args:
        farm: the farm.
        database: its.
        slaves: how each slave is started, by name.
        dice: chance.
    """

    def __init__(
        self, farm: BalancedFarm, database: MariaDB, slaves: dict[str, Callable[[], Process]], dice: random.Random
    ) -> None:
        self.farm, self.database, self.slaves, self.dice = farm, database, slaves, dice
        self.killed: Counter[str] = Counter()
        self.dead: list[Process] = []

    def rage(self, seconds: float) -> None:
        """Kill for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(0.2, 4))
            kinds = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=self.dice.choice([1, 1, 1, 2, 3]))
            for kind in sorted(set(kinds)):
                self.killed[kind] += getattr(self, f"_{kind}")()
            time.sleep(self.dice.uniform(0, 2))
            self.restart()

    def restart(self) -> None:
        """Start again what does not run: the database first."""
        if self.database.process.poll() is not None:
            self.database.start()
        for place, process in list(self.farm.processes.items()):
            if process.popen.poll() is not None:
                self.farm.start_process(place)
        for name, start in self.slaves.items():
            if self.farm.slaves[name].popen.poll() is not None:
                start()

    def _server(self) -> bool:
        self.farm.processes[self.dice.randrange(2)].kill()
        return True

    def _slave(self) -> bool:
        slave = self.farm.slaves[self.dice.choice(list(self.slaves))]
        slave.kill()
        self.dead.append(slave)
        return True

    def _renderer(self) -> bool:
        return self._one_of(self.dice.choice(list(self.farm.slaves.values())), renders=True)

    def _child(self) -> bool:
        processes = [*self.farm.slaves.values(), *self.farm.processes.values()]
        return self._one_of(self.dice.choice(processes), renders=False)

    def _database(self) -> bool:
        self.database.kill()
        return True

    def _balancer(self) -> bool:
        """Kill a worker of nginx, which starts another."""
        assert self.farm.balancer is not None
        return self._kill(psutil.Process(self.farm.balancer.pid).children())

    def _one_of(self, process: Process, *, renders: bool) -> bool:
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(process.popen.pid).children(recursive=True)
        return self._kill([child for child in found if _renders(child) is renders])

    def _kill(self, some: list[psutil.Process]) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            if some:
                self.dice.choice(some).kill()
                return True
        return False


def _renders(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(name in " ".join(process.cmdline()) for name in RENDERERS)
    return False


@pytest.fixture
def database() -> Iterator[MariaDB]:
    """A MariaDB that may be killed."""
    with mariadb_server() as made:
        yield made


@pytest.fixture
def farm(tmp_path: Path, database: MariaDB) -> Iterator[BalancedFarm]:
    (tmp_path / "farm").mkdir()
    with database.fresh() as url, contextlib.closing(BalancedFarm(tmp_path / "farm", url)) as made:
        yield made


def scenes(folder: Path, blender: Offered) -> tuple[Path, Path]:
    """Make a .blend and a folder with a scene of POV-Ray."""
    run_inside(blender, Path(__file__).parent / "make_project.py", folder / "scratch", str(folder))
    (pov := folder / "pov").mkdir()
    (pov / "main.pov").write_text(SCENE)
    return folder / "project" / "shots" / "stepped.blend", pov


def done(farm: BalancedFarm, job: int) -> JobView:
    """Wait for a job's end; what failed, since its renderers were killed too often, is rendered again."""
    for _ in range(5):
        view = farm.ended(job, 600)
        if view.state is JobState.DONE:
            return view
        farm.client.command(job, "retry")
    raise AssertionError(view)


def left_over(farm: BalancedFarm) -> dict[str, list[str]]:
    """Return files that nobody needs when all is done, by where they are."""
    DiskStore(farm.storage / "blobs").tidy(0)  # what a server does each hour
    for name in farm.slaves:
        BlobCache(farm.folder / name / "cache", 0).tidy(0)  # what a slave does with what is a day old
    places = {"incoming": farm.storage / "blobs" / "incoming", "trash": farm.storage / "blobs" / "trash"}
    for name in farm.slaves:
        for part in ("results", "processes", "unfinished", "attempts", "sessions"):
            for found in (farm.folder / name).glob(f"*/*/{part}"):
                places[f"{name} {part}"] = found
    left = {what: [p.name for p in place.rglob("*") if p.is_file()] for what, place in places.items()}
    parts = [str(p) for p in farm.folder.rglob("*") if p.is_file() and p.name.endswith((".part", ".partial"))]
    return {what: names for what, names in {**left, "parts": parts}.items() if names}


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_killed_every_frame_is_done_once(
    farm: BalancedFarm, database: MariaDB, seed: int, tmp_path: Path
) -> None:
    blender = blenders()[0]
    blend, pov = scenes(tmp_path / "made", blender)
    usual = {"offline_seconds": "600"}
    slaves: dict[str, Callable[[], Process]] = {
        "pov": lambda: farm.start_slave("pov", methods="povray", slots="2", **usual),
        "naps": lambda: farm.start_slave("naps", methods="sleep", slots="2", **usual),
        "blend": lambda: farm.start_slave("blend", **{"methods": "blender", **renderer(blender), **usual}),
    }
    for start in slaves.values():
        start()
    chaos = Chaos(farm, database, slaves, random.Random(seed))
    jobs = {submit(farm, pov, "1-300", width=160, height=120): 300}
    jobs[submit_unchecked(farm.client, blend, blender, "1-40")] = 40
    with people(farm, 2, seed) as all_:
        chaos.rage(180)
    chaos.restart()
    for person in all_:
        set_right(farm, person, 300)
    for job, frames in jobs.items():
        assert done(farm, job).counts.done == frames
        assert [file.frame for file in farm.output(job) if file.name.endswith(".png")] == list(range(1, frames + 1))
    sys.stderr.write(f"killed: {dict(chaos.killed)}, jobs of people: {sum(len(p.jobs) for p in all_)}\n")
    assert all(chaos.killed[kind] for kind in ("server", "slave", "renderer", "database", "balancer")), chaos.killed
    for slave in farm.slaves.values():
        slave.stop()
    for gone in [*chaos.dead, *farm.slaves.values()]:
        farm.until(lambda g=gone: not g.descendants(), 60, "no renderer is left")  # type: ignore[misc]
    assert farm.audit() == []
    assert left_over(farm) == {}
