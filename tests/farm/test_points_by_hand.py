"""A real farm's ledger, recomputed from its attempts: by arithmetic of this test's own, not the product's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.client.upload import upload_missing
from farm.client.usercalls import UserCalls
from farm.package.hashing import hash_file
from farm.protocol.accounts import MakeInvite, Register
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.protocol.points import Boost, LedgerRow
from farm.words.states import AttemptState, JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import renderer
from tests.farm.farm import PASSPHRASE, Farm, running

SCENE = """#version 3.7;
global_settings { assumed_gamma 1 max_trace_level 12 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 area_light <2, 0, 0>, <0, 2, 0>, 9, 9 }
#for (I, -3, 3) #for (J, -3, 3)
sphere { <I, 0.2 * sin(clock * 6 + I), J>, 0.45 pigment { rgb <1, 0.3, 0.1> } finish { reflection 0.5 } }
#end #end
"""
PATIENCE = 1500
OWNERS = {"quick": "ada", "slow": "bea", "old": "bea"}


@dataclass(frozen=True)
class Done:
    """A frame as its attempt tells it: µs of CPU time, and when it was accepted."""

    job: int
    frame: int
    slave: str
    cpu: int
    ended: datetime

    @property
    def owner(self) -> str:
        return OWNERS[self.slave]


class Owners:
    """Ada with one slave, bea with two; each with a client."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        invite = farm.client.make_invite(MakeInvite()).code
        with farm.asking() as client:
            granted = client.register(Register(name="bea", passphrase=PASSPHRASE, invite=invite))
        self.of = {"ada": farm.client, "bea": FarmClient(farm.url, granted.token)}
        for slave, owner in OWNERS.items():
            farm.keys[slave] = self.of[owner].make_slave_key(slave)
        self.jobs: dict[int, str] = {}

    def submit(
        self, owner: str, source: Path, method: str, frames: str, settings: dict[str, object], **more: list[str]
    ) -> int:
        sha256, size = hash_file(source)
        wish = Submission(
            name=source.stem, requires=Requirement(method=method, engine="CYCLES" if method == "blender" else ""),
            settings=settings, frames=frames, source=source.name,
            files=[FileEntry(path=source.name, sha256=sha256, size=size)], **more,
        )  # fmt: skip
        client = self.of[owner]
        receiving = client.submit(wish)
        upload_missing(client, receiving, {sha256: source}, lambda _count: None, 1)
        client.queue(receiving.job)
        self.jobs[receiving.job] = owner
        return receiving.job

    def ended(self, job: int) -> None:
        assert self.farm.ended(job, PATIENCE).state is JobState.DONE, self.farm.logs()

    def rows(self, owner: str) -> list[LedgerRow]:
        """Return all rows of a user, the oldest first."""
        calls, found, after = PointCalls(self.of[owner]), [], None
        while True:
            page = calls.ledger(after=after)
            found += page.rows
            after = page.next
            if after is None:
                return found[::-1]

    def done(self, job: int) -> list[Done]:
        """Return a job's frames in the order in which they were accepted."""
        found = []
        for view in self.farm.client.frames(job).frames:
            (won,) = [a for a in self.farm.client.frame(job, view.frame).attempts if a.state is AttemptState.WON]
            assert won.ended is not None
            assert won.cpu_seconds
            found.append(Done(job, view.frame, won.slave, round(won.cpu_seconds * 1e6), won.ended))
        return sorted(found, key=lambda one: one.ended)


@pytest.fixture
def owners(tmp_path: Path) -> Iterator[Owners]:
    with running(tmp_path, registration="invite", quick=True) as farm:
        made = Owners(farm)
        yield made
        made.of["bea"].close()


def amount(row: LedgerRow, one: Done, before: Sequence[Done], powers: dict[tuple[int, int], int]) -> int:
    """Return what a frame must earn: CPU-seconds × power / 60, within half and one and a half of its neighbours'."""
    own = one.cpu * powers[one.job, one.frame] // 60_000_000
    others = [other for other in before[-24:] if other.owner != one.owner]
    nearest = sorted(others, key=lambda other: (abs(other.frame - one.frame), other.frame))[:5]
    worths = [[other.frame, other.cpu * powers[other.job, other.frame] // 60_000_000] for other in nearest]
    assert row.inputs["near"] == worths
    if len(worths) < 3:
        return own
    middle = sorted(worth for _, worth in worths)[(len(worths) - 1) // 2]
    return max(middle // 2, min(own, middle * 3 // 2))


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(3 * PATIENCE)
def test_the_ledger_of_two_users_and_three_slaves_is_what_their_attempts_make_it(
    owners: Owners, tmp_path: Path
) -> None:
    farm, blender = owners.farm, blenders()[0]
    run_inside(blender, Path(__file__).parent / "make_drawn.py", tmp_path / "scratch", str(tmp_path))
    scene = tmp_path / "spheres.pov"
    scene.write_text(SCENE)
    both = {"methods": "blender,povray", **renderer(blender)}
    farm.start_slave("quick", cores="2", nice="0", **both)
    farm.start_slave("slow", cores="1", nice="10", **both)
    farm.start_slave("old", cores="1", nice="19", methods="povray")
    farm.until(lambda: all(s.state == "idle" for s in farm.client.slaves()), 240, "all slaves are there")

    picture = {"width": 640, "height": 480, "antialiasing": True, "final_clock": 1.0}
    film = owners.submit("ada", tmp_path / "cycles.blend", "blender", "1-9", {"samples": 1500})
    owners.ended(film)
    balls = owners.submit("bea", scene, "povray", "1-14", picture, slaves=["quick"])
    UserCalls(owners.of["bea"]).measure("old")
    owners.ended(balls)
    farm.until(lambda: all(one.over for one in UserCalls(owners.of["bea"]).ratings("old")), PATIENCE, "old is rated")
    (rating,) = UserCalls(owners.of["bea"]).ratings("old")
    assert rating.power is not None
    assert PointCalls(owners.of["ada"]).points().milli >= 1000, "enough for a boost"
    boosted = owners.submit("ada", scene, "povray", "1-6", picture, not_slaves=["quick"])
    PointCalls(owners.of["ada"]).boost(boosted, Boost(points=1, boost=3))
    owners.ended(boosted)

    rows = {owner: owners.rows(owner) for owner in owners.of}
    frames = [one for job in owners.jobs for one in owners.done(job)]
    powers = {(one.job, one.frame): 1000 for one in frames}
    powers |= {(one.job, one.frame): min(1000, int(rating.power * 1000)) for one in frames if one.slave == "old"}
    has = dict.fromkeys(owners.of, 0)
    earned = {
        (row.address, row.kind): (owner, row)
        for owner, all_ in rows.items()
        for row in all_
        if row.kind in ("earned", "tip", "gone")
    }
    left, gone = 1000, 0
    for at, one in enumerate(frames):
        address = f"{farm.client.job(one.job).address}/{one.frame}"
        owner, row = earned.pop((address, "earned"), (owners.jobs[one.job], None))
        assert (row is None) is (one.owner == owners.jobs[one.job]), "only for others' frames"
        if row is not None:
            assert (owner, row.slave, row.inputs["cpu"]) == (one.owner, one.slave, one.cpu)
            before = [other for other in frames[:at] if other.job == one.job]
            assert row.milli == amount(row, one, before, powers)
            has[owner] += row.milli
        if one.job == boosted and left:
            burnt = min(3 * (one.cpu * powers[one.job, one.frame] // 60_000_000), left)
            owner, tip = earned.pop((address, "tip"))
            assert (owner, tip.milli, tip.inputs["left"]) == ("bea", burnt * 70 // 100, left)
            has["bea"] += tip.milli
            left, gone = left - burnt, gone + burnt - tip.milli
    assert earned == {}, "no row without its frame"
    has["ada"] -= 1000 - left
    assert {owner: PointCalls(client).points().milli for owner, client in owners.of.items()} == has
    assert {owner: sum(row.milli for row in all_) for owner, all_ in rows.items()} == has
    for owner, client in owners.of.items():
        written = list(csv.DictReader(io.StringIO(PointCalls(client).ledger_csv())))
        assert sorted(line["points"] for line in written) == sorted(f"{r.milli / 1000:.3f}" for r in rows[owner])
    assert PointCalls(farm.client).audit_points().faults == []
    assert farm.audit() == []
