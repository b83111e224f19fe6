"""Points on real tables: who earns what, and that nobody gets what they should not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from farm.accounts import ledger, ledgeraudit, ledgerviews
from farm.accounts.leaders import DAY, Leader, by_day, leaders
from farm.database.handle import Database
from farm.database.schema import balances, postings, users
from farm.scheduler import escrow
from farm.words.clock import SECOND
from farm.words.errors import NotEnoughPoints, WrongState
from farm.words.states import FailureClass
from tests.scheduler.world import Agent, World, frames_of


def has(world: World, user: int) -> int:
    return world.database.read_now(lambda c: ledger.stored(c, user)).milli


def reasons(world: World, user: int) -> list[str]:
    page = world.database.read_now(lambda c: ledgerviews.page(c, user, "home", None, 100))
    return [row.reason for row in page.rows]


def render(world: World, agent: Agent, *, cpu: float, wall: float = 60, frames: int = 1) -> list[int]:
    """Let a slave render some frames, one at a time; return their attempts."""
    made = []
    for _ in range(frames):
        got = frames_of(world.report(agent, want=1))[:1]
        world.pass_time(wall)
        made += [frame.attempt for frame in got]
        world.report(agent, done=made[-1:], seconds=wall, cpu=cpu, forget=[a for a in agent.holding if a not in made])
    return made


def test_a_slaves_owner_earns_for_others_frames_by_the_cpu_minute(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea, cores=4, powers='{"blender":1500}')
    world.job("1-10")
    render(world, agent, cpu=120)
    assert has(world, bea) == 3000
    assert reasons(world, bea) == ["120 CPU-seconds × power 1.500 / 60 = 3.000"]
    assert has(world, world.owner) == 0
    assert has(world, ledger.FARM) == -3000


def test_who_earned_is_on_the_leader_board_and_has_it_day_by_day(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea, cores=4)
    world.job("1-10")
    render(world, agent, cpu=60)
    world.pass_time(2 * 86_400)
    render(world, agent, cpu=60, frames=2)
    days = world.database.read_now(lambda c: by_day(c, bea, 3, world.at))
    assert [milli for _, milli in days] == [1000, 0, 2000]
    assert [began % DAY for began, _ in days] == [0, 0, 0]
    assert world.database.read_now(lambda c: leaders(c, 10)) == [Leader("bea", 3000, 1, 3)]
    assert world.database.read_now(lambda c: leaders(c, 0)) == []


def test_nobody_earns_by_their_own_jobs(world: World) -> None:
    agent = world.slave("ws1", cores=4)
    world.job("1-10")
    render(world, agent, cpu=120, frames=3)
    assert world.database.read_now(lambda c: list(c.execute(select(postings)))) == []


def test_what_comes_twice_is_paid_once(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea, cores=4)
    world.job("1-10")
    attempt = render(world, agent, cpu=60)[0]
    for _ in range(3):
        assert world.report(agent, done=[attempt], cpu=60).verdicts[0].verdict == "accepted"
    assert has(world, bea) == 1000


def test_anothers_attempt_or_a_double_earns_nothing(world: World) -> None:
    bea, carl = world.user("bea"), world.user("carl")
    hers, his = world.slave("ws1", owner=bea, cores=4), world.slave("ws2", owner=carl, cores=4)
    world.job("1")
    attempt = frames_of(world.report(hers, want=1))[0].attempt
    world.pass_time(60)
    assert world.report(his, done=[attempt], cpu=60).verdicts[0].verdict == "refused"
    world.pass_time(60)
    world.sweep()  # hers fell silent
    world.pass_time(5)
    render(world, his, cpu=60)
    assert world.report(hers, done=[attempt], cpu=60).verdicts[0].verdict == "late"
    assert (has(world, bea), has(world, carl)) == (0, 1000)


def test_more_cpu_time_than_the_processors_had_is_not_paid(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", 3, owner=bea, cores=2)
    world.job("1-60")
    got = [frame.attempt for frame in frames_of(world.report(agent, want=3))]
    world.pass_time(60)
    world.report(agent, done=got, seconds=60, cpu=1e6)
    assert len(got) == 3
    assert has(world, bea) == 2000
    assert "it said 1000000.000 s, more than its processors could have had" in reasons(world, bea)[-1]


def test_two_slots_share_the_processors_and_lose_nothing_by_it(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", 2, owner=bea, cores=2)
    world.job("1-60")
    world.policy = world.policy.__class__(lease_frames=1)
    first, second = (frame.attempt for frame in frames_of(world.report(agent, want=2)))
    world.pass_time(60)
    world.report(agent, done=[second], seconds=60, cpu=60, running={first: 60})
    world.pass_time(60)
    world.report(agent, done=[first], seconds=120, cpu=120)
    assert has(world, bea) == 3000


def test_an_inflated_frame_earns_no_more_than_half_as_much_again_as_its_neighbours(world: World) -> None:
    bea = world.user("bea")
    world.job("1-60")
    honest, liar = world.slave("ws1", cores=64), world.slave("ws2", owner=bea, cores=64)
    render(world, honest, cpu=60, frames=5)
    render(world, liar, cpu=64 * 60)
    assert has(world, bea) == 1500
    assert reasons(world, bea)[0].endswith("median 1.000, so between 0.500 and 1.500")


def test_a_frame_lost_by_its_jobs_own_fault_pays_half(world: World) -> None:
    bea, carl = world.user("bea"), world.user("carl")
    hers, his = world.slave("ws1", owner=bea), world.slave("ws2", owner=carl)
    world.job("1")
    for agent in (hers, his):
        attempt = frames_of(world.report(agent, want=1))[0].attempt
        world.pass_time(60)
        world.report(agent, failed={attempt: FailureClass.JOB}, seconds=60)
        assert has(world, carl) == (500 if agent is his else 0)  # one slave's word is not enough
    assert has(world, bea) == 500


def test_a_frame_lost_by_the_slaves_own_fault_pays_nothing(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea)
    world.job("1")
    for _ in range(world.policy.attempts_limit):
        for frame in frames_of(world.report(agent, want=1)):
            world.pass_time(60)
            world.report(agent, failed={frame.attempt: FailureClass.SLAVE}, seconds=60)
        world.pass_time(600)
    assert has(world, bea) == 0


def test_two_accounts_that_feed_each_other_get_what_strangers_would_pay(world: World) -> None:
    bea, carl = world.user("bea"), world.user("carl")
    hers, his = world.slave("ws1", owner=bea, cores=2), world.slave("ws2", owner=carl, cores=2)
    world.job("1-9", owner=bea, slaves=["ws2"])
    world.job("1-9", owner=carl, slaves=["ws1"])
    began = world.at
    for _ in range(3):
        render(world, hers, cpu=1e6)
        render(world, his, cpu=1e6)
    most = 2 * 1000 * (world.at - began) // (60 * SECOND)
    assert has(world, bea) <= most
    assert has(world, carl) <= most


def test_who_cancels_at_the_end_does_not_get_the_points_back(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea, cores=2)
    job = world.job("1-100")
    render(world, agent, cpu=60, frames=99)
    (last,) = frames_of(world.report(agent, want=1))
    world.pass_time(60)
    world.act("cancel", job)
    world.report(agent, done=[last.attempt], cpu=60)
    assert world.attempt_state(last.attempt) != "won"
    assert world.counts(job) == {"done": 99, "canceled": 1}, "whose frame is not paid, is not theirs either"
    world.act("delete", job)
    assert has(world, bea) == 99_000


def boosted(world: World, milli: int, boost: int = 3) -> tuple[Agent, int]:
    """Let anna have 10 points, and put some of them into a job of hers; return bea's slave and the job."""
    bea = world.user("bea")
    hers, agent = world.slave("ws0", cores=10), world.slave("ws1", owner=bea, cores=10)
    world.job("1", owner=bea)
    render(world, hers, cpu=600)
    assert has(world, world.owner) == 10_000
    job = world.job("1-10")
    world.database.write_now(lambda c: escrow.put(c, job, milli, boost, world.at))
    return agent, job


def test_a_boost_is_burnt_frame_by_frame_and_its_rest_returns_at_the_end(world: World) -> None:
    agent, job = boosted(world, 8000)
    bea = world.database.read_now(lambda c: c.execute(select(users.c.id).where(users.c.name == "bea")).scalar())
    assert (has(world, world.owner), has(world, -job)) == (2000, 8000)
    render(world, agent, cpu=60)
    assert (has(world, -job), has(world, bea)) == (5000, 1000 + 2100)
    render(world, agent, cpu=60)
    assert has(world, -job) == 2000
    world.act("cancel", job)
    assert (has(world, world.owner), has(world, -job)) == (4000, 0)
    assert world.job_row(job).boost == 0
    earned = world.database.read_now(ledger.totals)
    assert earned == {world.owner: 10_000, bea: 2000}  # tips don't count


def test_a_boost_ends_when_its_points_do(world: World) -> None:
    agent, job = boosted(world, 2000)
    render(world, agent, cpu=60)
    assert (has(world, world.owner), has(world, -job), world.job_row(job).boost) == (8000, 0, 0)
    render(world, agent, cpu=60, frames=2)
    assert has(world, world.owner) == 8000


def test_an_escrow_holds_what_was_said_last_however_often(world: World) -> None:
    _, job = boosted(world, 8000)

    def put(milli: int) -> None:
        world.database.write_now(lambda c: escrow.put(c, job, milli, 2, world.at))

    put(8000)
    put(8000)
    assert has(world, world.owner) == 2000
    put(3000)
    assert has(world, world.owner) == 7000
    with pytest.raises(NotEnoughPoints):
        put(10_001)
    put(10_000)
    assert has(world, world.owner) == 0
    put(0)
    assert (has(world, world.owner), world.job_row(job).boost) == (10_000, 0)


def test_a_deleted_job_gives_its_points_back_and_an_ended_one_takes_none(world: World) -> None:
    _, job = boosted(world, 8000)
    world.act("delete", job)
    assert has(world, world.owner) == 10_000
    done = world.job("1")
    world.act("cancel", done)
    with pytest.raises(WrongState):
        world.database.write_now(lambda c: escrow.put(c, done, 1000, 2, world.at))


def test_nobody_spends_the_same_points_twice_at_once(world: World) -> None:
    """Two processes, and two jobs whose owner has the points for one."""
    _, job = boosted(world, 0)
    jobs = [job, *(world.job("1-10") for _ in range(7))]
    other = Database.open(world.database.url)

    def put(number: int) -> bool:
        database = (world.database, other)[number % 2]
        try:
            database.write_now(lambda c: escrow.put(c, jobs[number], 4000, 2, world.at))
        except NotEnoughPoints:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(put, range(8))) == 2
    other.close()
    assert has(world, world.owner) == 2000


def test_the_audit_finds_each_falsification(world: World) -> None:
    bea = world.user("bea")
    agent = world.slave("ws1", owner=bea, cores=4)
    world.job("1-10")
    render(world, agent, cpu=60, frames=2)
    for change, says in (
        (update(postings).values(milli=9000), "but its inputs give 1.000"),
        (update(postings).values(inputs='{"cpu":6000000000,"said":6000000000,"power":1000,"near":[]}'), "another time"),
        (update(postings).values(taker=world.owner), "but should from 0 to"),
        (update(balances).where(balances.c.account == bea).values(milli=7), "bea's account has 0.007 points"),
        (postings.delete(), "bea's account has 2.000 points"),
    ):
        assert world.faults() == []
        kept = [dict(row) for row in _all(world, postings)], [dict(row) for row in _all(world, balances)]
        world.database.write_now(lambda c, change=change: c.execute(change) and None)
        found = world.database.read_now(ledgeraudit.audit)
        assert any(says in fault for fault in found), found
        world.database.write_now(lambda c, kept=kept: _restore(c, kept))


def _all(world: World, table: object) -> list[object]:
    return world.database.read_now(lambda c: list(c.execute(select(table)).mappings()))


def _restore(conn: object, kept: tuple[list[dict[str, object]], list[dict[str, object]]]) -> None:
    for table, rows in zip((postings, balances), kept, strict=True):
        conn.execute(table.delete())  # type: ignore[attr-defined]
        conn.execute(table.insert(), rows)  # type: ignore[attr-defined]
