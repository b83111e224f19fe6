"""What frames on graphics cards earn: by the way to the card, by its time, once. The cards are made up."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from farm.accounts import ledger
from farm.database.schema import attempts, slaves
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Finished, Offer, Report
from farm.scheduler.slavecall import TakeReport
from tests.scheduler.world import Agent, World, digest, frames_of

POWERS = {"blender": 1000, "blender/optix": 6000, "blender/cuda": 3000}
WAYS = ["OPTIX A", "OPTIX A", "CUDA A", "CUDA A", "HIP B"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Cards:
    """Bea's slave with cards, and what it earns by anna's jobs."""

    def __init__(self, world: World, devices: list[str]) -> None:
        self.world, self.bea = world, world.user("bea")
        offer = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=devices)
        self.slave = world.slave("cards", 5, offer, owner=self.bea, cores=1)
        powers = update(slaves).where(slaves.c.id == self.slave.id).values(powers=json.dumps(POWERS))
        world.database.write_now(lambda c: c.execute(powers) and None)

    def leased(self, device: str, text: str) -> list[int]:
        needs = Requirement(method="blender", version="4.5", engine="CYCLES", device=device)
        self.world.job(text, requires=needs.model_dump_json())
        found: list[int] = []
        while got := frames_of(self.world.report(self.slave, want=5, cards=4)):
            found += [frame.attempt for frame in got]
        return found

    def finish(self, attempts: list[int], said: str, seconds: float) -> int:
        """Report frames; return what these earn together, in thousandths."""
        before = self.milli()
        ends = [
            Finished(attempt=a, sha256=digest(a), seconds=seconds, cpu_seconds=seconds, device=said)  # type: ignore[arg-type]
            for a in attempts
        ]
        hand_in(self.world, self.slave, ends)
        return self.milli() - before

    def milli(self) -> int:
        return self.world.database.read_now(lambda c: ledger.stored(c, self.bea)).milli


def hand_in(world: World, agent: Agent, ends: list[Finished]) -> None:
    world.stage([end.attempt for end in ends])
    agent.seq += 1
    report = Report(seq=agent.seq, finished=ends)
    world.database.write_now(TakeReport(agent.id, report, world.at, world.policy))


@pytest.mark.parametrize(("device", "said", "counts"), [
    ("gpu", "cuda", ("cuda", 3000)), ("gpu", "optix", ("optix", 6000)), ("gpu", "metal", ("optix", 6000)),
    ("gpu", "", ("optix", 6000)), ("cuda", "optix", ("cuda", 3000)), ("cpu", "optix", ("", 1000)),
    ("any", "", ("", 1000)), ("any", "cpu", ("", 1000)), ("any", "cuda", ("cuda", 3000)), ("any", "metal", ("", 1000)),
])  # fmt: skip
def test_a_frame_counts_by_the_way_that_it_was_rendered_by_as_far_as_that_is_possible(
    world: World, device: str, said: str, counts: tuple[str, int]
) -> None:
    farm = Cards(world, WAYS[:4])
    (attempt,) = farm.leased(device, "1")
    world.pass_time(60)
    assert farm.finish([attempt], said, 60) == counts[1]
    stored = select(attempts.c.device).where(attempts.c.id == attempt)
    assert world.database.read_now(lambda c: c.execute(stored).scalar()) == counts[0]
    assert world.faults() == []


@pytest.mark.parametrize(("devices", "most"), [(WAYS[:1] + WAYS[2:3], 1), (WAYS[:4], 2)])
def test_frames_on_cards_share_the_time_that_went_by(world: World, devices: list[str], most: int) -> None:
    farm = Cards(world, devices)
    mine = farm.leased("optix", "1-4")
    assert len(mine) == 4
    world.pass_time(60)
    assert farm.finish(mine, "optix", 60) == most * 6000
