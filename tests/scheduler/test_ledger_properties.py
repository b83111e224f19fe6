"""The ledger, whatever happens: its rows sum to zero, nobody owes, and what an ended job had in escrow is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from farm.accounts import ledger, ledgeraudit
from farm.database.schema import balances, jobs, postings
from farm.files.disk import DiskStore
from farm.jobs.closing import close
from farm.scheduler import escrow
from farm.words.errors import Conflict, Malformed, NotEnoughPoints, NotFound
from farm.words.states import FailureClass
from tests.scheduler.world import World

ENDED = {"done", "failed", "canceled", "deleted"}
PLACE = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("render"), PLACE, st.sampled_from([0.0, 60.0, 1e6])),
        st.tuples(st.just("render"), PLACE, st.sampled_from([0.0, 60.0, 1e6])),
        st.tuples(st.just("repeat"), PLACE, st.just(0)),
        st.tuples(st.just("fail"), PLACE, st.sampled_from(list(FailureClass))),
        st.tuples(st.just("lose"), PLACE, st.just(0)),
        st.tuples(st.just("boost"), PLACE, st.tuples(st.sampled_from([0, 1, 700, 10**9]), st.integers(1, 15))),
        st.tuples(st.sampled_from(["cancel", "delete"]), PLACE, st.just(0)),
        st.tuples(st.just("retry"), PLACE, st.just(0)),
        st.tuples(st.just("close"), PLACE, st.just(0)),
    ),
    min_size=3,
    max_size=20,
)


class Play:
    """Two users who render for each other, what they do, and what their farm does with books of deleted jobs."""

    def __init__(self, world: World, store: DiskStore) -> None:
        self.world = world
        self.store = store
        count = len(world.agents)
        self.owners = [world.user(f"u{count + place}") for place in range(2)]
        self.agents = [world.slave(f"s{count + n}", owner=owner, cores=4) for n, owner in enumerate(self.owners)]
        self.jobs = [world.job("1-4", owner=owner) for owner in reversed(self.owners)]
        self.said: dict[int, list[int]] = {0: [], 1: []}

    def step(self, verb: str, place: int, more: object) -> None:
        with suppress(Conflict, Malformed, NotEnoughPoints, NotFound):  # as people are told
            getattr(self, verb)(place, more) if hasattr(self, verb) else self.people(place, verb)

    def leased(self, place: int) -> list[int]:
        agent = self.agents[place]
        if not agent.holding:
            self.world.report(agent, want=1)
        self.world.pass_time(60)
        return list(agent.holding)[:1]

    def render(self, place: int, cpu: float) -> None:
        self.said[place] += (mine := self.leased(place))
        self.world.report(self.agents[place], done=mine, seconds=60, cpu=cpu)

    def repeat(self, place: int, _: object) -> None:
        self.world.report(self.agents[place], done=self.said[place][-3:], seconds=60, cpu=600)

    def fail(self, place: int, fault: FailureClass) -> None:
        self.world.report(self.agents[place], failed=dict.fromkeys(self.leased(place), fault), seconds=60)

    def lose(self, place: int, _: object) -> None:
        self.leased(place)
        self.world.pass_time(200)
        self.world.sweep()

    def boost(self, place: int, wish: tuple[int, int]) -> None:
        at = self.world.at
        self.world.database.write_now(lambda c: escrow.put(c, self.jobs[place], *wish, at))

    def close(self, _place: int, _: object) -> None:
        self.world.pass_time(3 * 86_400)
        self.world.sweep()
        asyncio.run(close(self.world.database, self.store, 1, self.world.at))

    def people(self, place: int, verb: str) -> None:
        self.world.act(verb, self.jobs[place], *([None] if verb == "retry" else []))


def state(world: World, job: int) -> str:
    """Return a job's state; one whose book is closed is no more."""
    found = world.database.read_now(lambda c: c.execute(select(jobs.c.state).where(jobs.c.number == job)).scalar())
    return str(found or "deleted")


def total(world: World) -> int:
    return int(world.database.read_now(lambda c: c.execute(select(func.sum(balances.c.milli))).scalar()) or 0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_ledger_sums_to_zero_after_whatever_happens(
    world: World, tmp_path: Path, steps: list[tuple[str, int, object]]
) -> None:
    play = Play(world, DiskStore(tmp_path / "blobs"))
    for verb, place, more in steps:
        before = world.database.read_now(ledger.totals)
        play.step(verb, place, more)
        assert total(world) == 0
        assert verb != "close" or world.database.read_now(ledger.totals) == before
    for owner in play.owners:
        assert world.database.read_now(lambda c, owner=owner: ledger.stored(c, owner)).milli >= 0
    for job in play.jobs:
        if state(world, job) in ENDED:
            left = world.database.read_now(lambda c, job=job: ledger.stored(c, ledger.escrow(job)))
            assert left.milli == 0
    assert world.faults() == []
    assert world.database.read_now(lambda c: ledgeraudit.audit(c, play.store)) == []
    for job in play.jobs:  # so that the next play has the farm for itself
        with suppress(Conflict, NotFound):
            world.act("delete", job)
    for agent in play.agents:
        world.steer("log_out", agent)


def test_plays_do_move_points(world: World, tmp_path: Path) -> None:
    play = Play(world, DiskStore(tmp_path / "blobs"))
    play.render(0, 60.0)
    play.render(1, 60.0)
    play.boost(1, (700, 3))
    assert world.database.read_now(lambda c: ledger.stored(c, ledger.escrow(play.jobs[1]))).milli == 700
    play.repeat(0, 0)
    play.people(1, "cancel")
    assert world.database.read_now(lambda c: ledger.stored(c, play.owners[0])).milli == 1000
    play.people(0, "delete")
    play.people(1, "delete")
    play.close(0, 0)
    assert world.database.read_now(lambda c: c.execute(select(func.count()).select_from(postings)).scalar()) == 0
    assert world.database.read_now(lambda c: ledger.stored(c, play.owners[0])).milli == 1000
