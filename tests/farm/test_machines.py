"""An afternoon of a studio's admin: three machines join, are upgraded while they render, rest, and are retired."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from farm.database import engine
from farm.database.schema import deeds
from farm.protocol.joining import MakeJoinCode
from farm.protocol.slaveviews import SlaveView
from farm.words.states import AttemptState, JobState, SlaveState
from tests.blenders import run_inside, two
from tests.farm.artist import Artist
from tests.farm.farm import Farm
from tests.farm.homes import run
from tests.farm.machines import Machine
from tests.farm.releases import other
from tests.living import all_gone
from tests.network import Hub, hub

NAMES = ("plain", "night", "desk")
BAD = "It is broken."
INSIDE = "farm/methods/sleep/inside.py"


class Studio:
    """A fresh server, and machines that know nothing but a code."""

    def __init__(self, lan: Hub, folder: Path, method: str = "sleep") -> None:
        self.folder = folder
        self.farm = Farm(folder, host=lan.sides[0].address, name="home")
        self.machines = [
            Machine(side, folder, name, DISTREN_SLAVE_METHODS=method)
            for side, name in zip(lan.sides[1:], NAMES, strict=True)
        ]

    def __getitem__(self, name: str) -> Machine:
        return self.machines[NAMES.index(name)]

    def slave(self, name: str) -> SlaveView:
        return next(slave for slave in self.farm.client.slaves() if slave.name == name)

    def until(self, name: str, state: SlaveState, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until a slave is in a state."""

        def there() -> bool:
            meanwhile()
            return self.slave(name).state is state

        self.farm.until(there, 90, f"{name} is {state}")

    def serve(self, code: Path) -> None:
        """Have the server run another version from now on."""
        self.farm.server.stop()
        self.farm.code = code
        self.farm.start_server()

    def upgrade(self, *words: str) -> tuple[int, str]:
        """Run `distren slaves upgrade`; return how it ended, and what it said."""
        given = {"DISTREN_SERVER": self.farm.url, "DISTREN_TOKEN": self.farm.token, "COLUMNS": "300"}
        said = run(self.folder / "admin", "slaves", "upgrade", *words, **given)
        return said.returncode, said.stdout + said.stderr

    def all_render(self, count: int) -> int:
        """Submit a job of so many frames, and return it as soon as each slave renders."""
        job = self.farm.sleep_job(f"1-{count}", seconds=3, output_bytes=100_000)
        self.farm.until(lambda: all(s.running for s in self.farm.client.slaves()), 180, "all three render")
        return job

    def every_frame_once(self, job: int, count: int) -> None:
        """Wait for a job's end; each frame was rendered once, and none was lost or failed."""
        farm = self.farm
        assert farm.ended(job, 180).state is JobState.DONE, farm.logs()
        assert sorted(file.frame for file in farm.output(job)) == list(range(1, count + 1))
        ends = [[a.state for a in farm.client.frame(job, n).attempts] for n in range(1, count + 1)]
        assert [states.count(AttemptState.WON) for states in ends] == [1] * count
        assert not {state for states in ends for state in states} & {AttemptState.LOST, AttemptState.FAILED}

    def book(self) -> list[str]:
        """Return what the book of deeds says of upgrades."""
        reading = engine.reading(f"sqlite:///{self.folder / 'server' / 'distren.sqlite3'}")
        with reading.connect() as conn:
            found = list(conn.execute(select(deeds.c.detail).where(deeds.c.verb == "upgrade slave")).scalars())
        reading.dispose()
        return found

    def close(self) -> None:
        for machine in self.machines:
            machine.close()
        self.farm.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with hub(1 + len(NAMES)) as lan, lan.sides[0].entered(), contextlib.closing(Studio(lan, tmp_path)) as made:
        yield made


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_three_machines_join_render_are_upgraded_roll_back_rest_and_are_retired(studio: Studio) -> None:
    farm = studio.farm
    joins_by_code_alone(studio)
    studio.serve(other(studio.folder, "0.2.0"))
    job = studio.all_render(40)
    code, said = studio.upgrade("--all")
    assert code == 0, said
    assert {slave.version for slave in farm.client.slaves()} == {"0.2.0"}
    studio.every_frame_once(job, 40)

    studio.serve(
        other(studio.folder, "0.2.1", INSIDE, "class Inside:", f'raise SystemExit("{BAD}")\n\n\nclass Inside:')
    )
    second = studio.all_render(12)
    code, said = studio.upgrade("--all", "--at-once", "1")
    assert code != 0
    assert said.count("not begun") == 2, "one is enough to see that it is broken"
    assert {slave.version for slave in farm.client.slaves()} == {"0.2.0"}
    (failed,) = [slave.upgrade for slave in farm.client.slaves() if slave.upgrade]
    assert BAD in failed.message
    studio.every_frame_once(second, 12)
    book = "\n".join(studio.book())
    assert all(f"{name} runs 0.2.0" in book for name in NAMES)
    assert "is not upgraded to 0.2.1" in book

    rest_and_wake(studio)
    are_retired(studio)
    assert farm.audit() == []


def joins_by_code_alone(studio: Studio) -> None:
    """Let the machines join, and find the server by its name; one has hours and a clock, one a keyboard."""
    made = studio.farm.client.make_join_code(MakeJoinCode(machines=3, address="distren://home"))
    for machine in studio.machines:
        assert f"This machine is {machine.name}, a slave of home." in machine.join(made.code)
    hour = datetime.now(UTC).hour
    studio["night"].says(hours=f"{(hour - 4) % 24:02}:00-{(hour + 4) % 24:02}:00", zone="UTC")
    studio["night"].set_clock(0)
    studio["desk"].sat_at()
    for machine in studio.machines:
        machine.start()


def rest_and_wake(studio: Studio) -> None:
    """Set the clock of one, sit down at another."""
    studio["night"].set_clock(12)
    studio.until("night", SlaveState.RESTING)
    studio.until("desk", SlaveState.RESTING, studio["desk"].type)
    rest = studio.farm.sleep_job("1-4")
    studio.farm.until(lambda: studio.farm.client.job(rest).state is JobState.DONE, 60, "the third renders")
    assert {studio.farm.client.frame(rest, n).attempts[0].slave for n in range(1, 5)} <= {"plain", "desk"}
    studio.until("desk", SlaveState.IDLE)
    studio["night"].set_clock(24)
    studio.until("night", SlaveState.IDLE)


def are_retired(studio: Studio) -> None:
    """Void their keys: their slaves end by themselves."""
    for machine in studio.machines:
        studio.farm.client.retire_slave(machine.name)
    pids = [machine.process.popen.pid for machine in studio.machines if machine.process]
    assert len(pids) == 3
    assert all_gone(*pids), studio.farm.logs()
    assert studio.farm.client.slaves() == []


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(1800)
def test_machines_with_real_blenders_are_upgraded_while_they_render_and_roll_back(tmp_path: Path) -> None:
    blender = two()[0]
    run_inside(blender, Path(__file__).parent / "make_project.py", tmp_path / "scratch", str(tmp_path))
    film = tmp_path / "project" / "shots" / "film.blend"
    with (
        hub(1 + len(NAMES)) as lan,
        lan.sides[0].entered(),
        contextlib.closing(Studio(lan, tmp_path, "blender")) as studio,
    ):
        artist = Artist(studio.farm, blender, tmp_path / "home")
        joins_by_code_alone(studio)
        studio.serve(other(tmp_path, "0.2.0"))
        job = artist.submits(film, "--frames", "1-900")
        studio.farm.until(lambda: all(s.frames_done for s in studio.farm.client.slaves()), 180, "all three render")
        code, said = studio.upgrade("--all")
        assert code == 0, said
        studio.every_frame_once(job, 900)
        broken = "farm/methods/blender/inside/rendering.py"
        studio.serve(other(tmp_path, "0.2.1", broken, "import bpy\n", f"import bpy\nraise ImportError('{BAD}')\n"))
        code, said = studio.upgrade("--all", "--keep-going", "--at-once", "3")
        assert code != 0
        reasons = [slave.upgrade.message for slave in studio.farm.client.slaves() if slave.upgrade]
        assert len(reasons) == 3
        assert all(BAD in reason for reason in reasons)
        late = artist.submits(film, "--frames", "1-9")
        studio.every_frame_once(late, 9)
        assert studio.farm.audit() == []
