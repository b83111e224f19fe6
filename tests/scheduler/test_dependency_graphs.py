"""Random graphs of frames, to which everything happens: they stay sound, and come to their end."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from farm.database.handle import Database
from farm.database.schema import frames, jobs
from farm.scheduler import bulk, ripples, rules
from farm.words.errors import Conflict, NotFound
from farm.words.ranges import FrameRange
from farm.words.states import FailureClass
from tests.scheduler.world import World

LAST = 6
JOBS = 3

Wait: TypeAlias = tuple[int, int, frozenset[int], frozenset[int], bool]
"""Of which job, on which, which frames wait, for which, one by one."""

numbers = st.frozensets(st.integers(1, LAST), min_size=1, max_size=4)
waits = st.lists(
    st.tuples(st.integers(0, JOBS - 1), st.integers(0, JOBS - 1), numbers, numbers, st.booleans()), max_size=8
)
acts = st.lists(
    st.tuples(
        st.sampled_from(["render", "render", "fail", "retry", "again", "cancel", "delete", "crash"]),
        st.integers(0, JOBS - 1),
        numbers,
    ),
    max_size=12,
)


def usable(some: list[Wait], job: int, known: list[int]) -> list[tuple[str, int, str, bool]]:
    """Return the rules of a job that a submission would accept: no circles, no jobs of the future."""
    found = []
    for of, on, which, needs, each in some:
        if of != job or on > job:
            continue
        if on == job:
            needs = frozenset(n for n in needs if n < min(which))
        if needs:
            one_by_one = each and len(needs) % len(which) == 0
            text = str(FrameRange.of(which)), str(FrameRange.of(needs))
            found.append((text[0], 0 if on == job else known[on], text[1], one_by_one))
    return found


class Play:
    """Jobs that depend on each other, and one slave."""

    def __init__(self, world: World, some: list[Wait]) -> None:
        self.world = world
        self.slave = world.agents.get("ws01") or world.slave("ws01", slots=4)
        self.jobs: list[int] = []
        for job in range(JOBS):
            self.jobs.append(world.job(f"1-{LAST}", waits=usable(some, job, self.jobs)))

    def act(self, verb: str, job: int, which: frozenset[int]) -> None:
        world, number = self.world, self.jobs[job]
        if verb in ("render", "fail"):
            self.speak(which if verb == "fail" else frozenset())
        elif verb == "crash":
            world.database.close()
            world.database = Database.open(world.database.url)
        else:
            more = {"retry": [None], "again": [FrameRange.of(which)]}.get(verb, [])
            with suppress(Conflict, NotFound):
                world.act("retry" if verb == "again" else verb, number, *more)

    def speak(self, bad: frozenset[int]) -> None:
        world = self.world
        world.pass_time(60)
        world.report(self.slave, want=4)
        failing = {a: FailureClass.JOB for a, (_, number) in self.slave.holding.items() if number in bad}
        world.report(self.slave, failed=failing, done=[a for a in self.slave.holding if a not in failing])

    def settle(self) -> None:
        """Go on with what is left, and look whether all is sound."""
        while self.world.database.write_now(lambda c: bulk.work(c, self.world.at)):
            pass
        assert self.world.faults() == []
        hopeless = self.world.database.read_now(self.hopeless)
        assert hopeless == [], "they wait for what will never come"

    def hopeless(self, conn: object) -> list[tuple[int, int]]:
        """Return blocked frames that wait for a failed or canceled one."""
        found = []
        state = {(j, n): s for j, n, s in conn.execute(select(frames.c.job, frames.c.number, frames.c.state))}  # type: ignore[attr-defined]
        going = set(conn.execute(select(jobs.c.number).where(jobs.c.state.in_(["queued", "rendering"]))).scalars())  # type: ignore[attr-defined]
        for job in going & set(self.jobs):
            for rule in rules.read(conn, job):  # type: ignore[arg-type]
                for number in rule.frames.whole:
                    needs = {state.get((rule.on_job, need)) for need in rule.needed(number)}
                    if state[job, number] == "blocked" and needs & {"failed", "canceled", None}:
                        found.append((job, number))
        return found

    def finish(self) -> None:
        """Retry all that is not deleted, and render: everything gets done that depends on nothing deleted."""
        for job in self.jobs:
            with suppress(Conflict, NotFound):
                self.world.act("retry", job, None)
            self.settle()
        for _ in range(2 * JOBS * LAST):
            self.speak(frozenset())
            ended = {self.world.state(job) for job in self.jobs}
            if ended <= {"done", "failed", "deleted"}:
                break
        self.settle()
        assert ended <= {"done", "failed", "deleted"}
        assert "failed" not in ended or "deleted" in ended


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    monkeypatch.setattr(ripples, "PIECE", 2)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(waits, acts)
@pytest.mark.usefixtures("small_pieces")
def test_whatever_happens_to_a_graph_it_stays_sound_and_can_be_done(
    world: World, some: list[Wait], happening: list[tuple[str, int, frozenset[int]]]
) -> None:
    play = Play(world, some)
    for verb, job, which in happening:
        play.act(verb, job, which)
        play.settle()
    play.finish()
    for job in play.jobs:
        with suppress(Conflict, NotFound):
            world.act("delete", job)
