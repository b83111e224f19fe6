"""Who gets which frames, when, and how many."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event

from farm.protocol.slaves import Finished, Offer, Report
from farm.scheduler.policy import Policy
from farm.scheduler.slavecall import TakeReport
from farm.words.clock import microseconds
from farm.words.errors import StaleReport, Unauthenticated
from farm.words.states import FailureClass, PauseReason, SlaveState
from tests.scheduler.world import World, digest, frames_of, numbers_of


def test_one_slave_renders_a_job_to_its_end(world: World) -> None:
    job, slave = world.job("1-10"), world.slave("ws01")
    rendered: list[int] = []
    while world.state(job) in {"queued", "rendering"}:
        rendered += world.render(slave)
    assert world.state(job) == "done"
    assert sorted(rendered) == list(range(1, 11))
    assert world.counts(job) == {"done": 10}


def test_the_probes_come_first(world: World) -> None:
    world.job("1-100")
    slave = world.slave("ws01", slots=4)
    assert numbers_of(world.report(slave, want=4)) == [1, 51, 100, 2]


def test_an_unknown_job_gives_one_frame_per_slot(world: World) -> None:
    world.job("1-100")
    orders = world.report(world.slave("ws01", slots=3), want=3)
    assert [len(lease.frames) for lease in orders.leases] == [1, 1, 1]


def test_a_lease_holds_thirty_seconds_of_frames(world: World) -> None:
    world.job("1-1000")
    slave = world.slave("ws01")
    world.render(slave, seconds=3.1)
    assert len(frames_of(world.report(slave, want=1))) == 9


def test_another_slaves_pace_is_a_first_guess(world: World) -> None:
    world.job("1-1000")
    first, second = world.slave("ws01"), world.slave("ws02")
    world.render(first, seconds=10)
    assert len(frames_of(world.report(second, want=1))) == 3


def test_the_last_frames_shrink_so_that_all_slots_share(world: World) -> None:
    world.job("1-20")
    agents = [world.slave(f"ws{n}") for n in range(4)]
    world.render(agents[0], seconds=0.1)
    world.pass_time(1.5)
    sizes = [len(frames_of(world.report(agent, want=1))) for agent in agents]
    assert max(sizes) <= 3
    assert all(sizes)


def test_higher_priority_comes_first_then_the_older_job(world: World) -> None:
    old, new, urgent = world.job("1", priority=50), world.job("1", priority=50), world.job("1", priority=80)
    slave = world.slave("ws01")
    got = [world.report(slave, want=1).leases[0].job for _ in range(3)]
    assert got == [urgent, old, new]


def test_wants_are_filled_from_several_jobs(world: World) -> None:
    world.job("1"), world.job("1")
    assert len(world.report(world.slave("ws01", slots=4), want=4).leases) == 2


def test_a_slave_without_the_right_blender_gets_nothing_and_the_job_says_why(world: World) -> None:
    job = world.job()
    slave = world.slave("ws01", offer=Offer(method="blender", version="3.4.1", engines=["CYCLES"]))
    assert world.report(slave, want=1).leases == []
    assert world.why(job) == ["No slave has blender 4.5 with CYCLES; 1 has 3.4.1: install 4.5, or wait."]


def test_admission_lists_hold(world: World) -> None:
    only, without = world.job("1", slaves=["ws02"]), world.job("1", not_slaves=["ws02"])
    first, second = world.slave("ws01"), world.slave("ws02")
    assert [lease.job for lease in world.report(first, want=3).leases] == [without]
    assert [lease.job for lease in world.report(second, want=3).leases] == [only]


def test_no_more_slaves_than_the_job_may_have(world: World) -> None:
    job = world.job("1-10", max_slaves=1)
    first, second = world.slave("ws01"), world.slave("ws02")
    assert world.report(first, want=1).leases
    assert not world.report(second, want=1).leases
    assert world.why(job) == ["The job may have 1 slaves at a time, and has them."]
    assert world.report(first, want=1).leases


def test_a_slave_says_why_it_takes_nothing_until_it_takes_again(world: World) -> None:
    world.job()
    slave, reason = world.slave("ws01"), "work (/render) has 12 bytes free and needs 33,554,432"
    for said in (reason, reason, ""):
        world.report(slave, message=said)
        assert world.slave_row(slave).message == said
    assert world.report(slave, want=1).leases
    world.report(slave, message=reason)
    world.log_in(slave)
    assert world.slave_row(slave).message == ""


def test_a_paused_slave_finishes_and_takes_nothing_new(world: World) -> None:
    world.job()
    slave = world.slave("ws01")
    got = frames_of(world.report(slave, want=1))
    world.steer("pause", slave)
    orders = world.report(slave, want=1, done=[got[0].attempt])
    assert orders.drain
    assert not orders.leases
    assert orders.verdicts[0].verdict == "accepted"
    world.steer("resume", slave)
    assert world.report(slave, want=1).leases


def test_a_resting_slave_gets_nothing(world: World) -> None:
    world.job()
    slave = world.slave("ws01")
    assert not world.report(slave, want=1, state=SlaveState.RESTING).leases
    assert world.slave_state(slave) == "resting"


def test_a_retired_slave_is_sent_away_and_its_frames_go_to_others(world: World) -> None:
    job, slave = world.job("1"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))
    world.steer("retire", slave)
    with pytest.raises(Unauthenticated):
        world.report(slave, want=1)
    assert world.attempt_state(got[0].attempt) == "revoked"
    assert world.counts(job) == {"ready": 1}


def test_an_older_report_is_refused(world: World) -> None:
    slave = world.slave("ws01")
    world.report(slave, seq=5)
    with pytest.raises(StaleReport):
        world.report(slave, seq=4)


def test_a_lease_that_never_arrived_is_given_again_at_once(world: World) -> None:
    world.job("1")
    slave = world.slave("ws01")
    lost = frames_of(world.report(slave, want=1, arrives=False))
    again = frames_of(world.report(slave, want=1))
    assert [f.number for f in again] == [f.number for f in lost]
    assert [f.attempt for f in again] != [f.attempt for f in lost]
    assert world.attempt_state(lost[0].attempt) == "returned"


def test_the_same_report_twice_counts_once(world: World) -> None:
    job, slave = world.job("1-2"), world.slave("ws01")
    got = frames_of(world.report(slave, want=1))
    first = world.report(slave, done=[got[0].attempt], seq=7)
    second = world.report(slave, done=[got[0].attempt], seq=7)
    assert first.verdicts == second.verdicts
    assert world.counts(job) == {"ready": 1, "done": 1}


def test_frames_given_back_go_to_others(world: World) -> None:
    world.job("1")
    first, second = world.slave("ws01"), world.slave("ws02")
    got = frames_of(world.report(first, want=1))
    world.report(first, returned=[got[0].attempt])
    assert numbers_of(world.report(second, want=1)) == [1]


def test_approval_leases_only_probes_and_then_waits(world: World) -> None:
    job, slave = world.job("1-100", approval=True), world.slave("ws01", slots=8)
    got = frames_of(world.report(slave, want=8))
    assert sorted(f.number for f in got) == [1, 51, 100]
    assert world.why(job) == ["Only the probes are rendered until somebody approves."]
    world.report(slave, done=[f.attempt for f in got])
    assert world.state(job) == "paused/approval"
    assert world.why(job) == ["The probes are done: the job waits for approval."]
    assert not world.report(slave, want=1).leases
    world.act("approve", job)
    assert world.state(job) == "rendering"
    assert numbers_of(world.report(slave, want=1))


def test_a_job_of_probes_alone_needs_no_approval(world: World) -> None:
    job, slave = world.job("1-3", approval=True), world.slave("ws01", slots=3)
    world.render(slave, want=3)
    assert world.state(job) == "done"


def test_a_job_that_was_approved_early_does_not_stop(world: World) -> None:
    job, slave = world.job("1-100", approval=True), world.slave("ws01", slots=3)
    world.act("approve", job)
    world.render(slave, want=3)
    assert world.state(job) == "rendering"


def test_a_straggler_is_leased_twice_and_the_first_result_wins(world: World) -> None:
    job = world.job("1-4")
    fast, slow = world.slave("fast"), world.slave("slow")
    stuck = frames_of(world.report(slow, want=1))[0]
    while numbers := world.render(fast, seconds=1):
        if stuck.number in numbers:
            break
        world.pass_time(5)
        world.report(slow, running={stuck.attempt: 60})
    assert world.state(job) == "done"
    assert world.report(slow, running={stuck.attempt: 90}).revoked == [stuck.attempt]
    assert world.frame(job, stuck.number).result_attempt != stuck.attempt


def test_a_double_that_comes_second_is_late_and_counts_for_nothing(world: World) -> None:
    job = world.job("1-2")
    fast, slow = world.slave("fast"), world.slave("slow")
    stuck = frames_of(world.report(slow, want=1))[0]
    world.render(fast)
    world.report(slow, running={stuck.attempt: 60})
    double = frames_of(world.report(fast, want=1))[0]
    assert double.number == stuck.number
    assert world.report(slow, done=[stuck.attempt]).verdicts[0].verdict == "accepted"
    assert world.report(fast, done=[double.attempt]).verdicts[0].verdict == "late"
    assert world.counts(job) == {"done": 2}


def test_a_double_that_fails_leaves_the_frame_to_the_other(world: World) -> None:
    job = world.job("1-2")
    fast, slow = world.slave("fast"), world.slave("slow")
    stuck = frames_of(world.report(slow, want=1))[0]
    world.render(fast)
    world.report(slow, running={stuck.attempt: 60})
    double = frames_of(world.report(fast, want=1))[0]
    world.report(fast, failed={double.attempt: FailureClass.JOB})
    assert world.counts(job) == {"leased": 1, "done": 1}
    world.report(slow, done=[stuck.attempt])
    assert world.state(job) == "done"


def test_a_job_without_stragglers_is_not_looked_through_by_each_slave_that_idles(world: World) -> None:
    job = world.job("1-21")
    agents = [world.slave(f"ws{n:02}") for n in range(21)]
    got = [frames_of(world.report(agent, want=1))[0] for agent in agents]
    told: list[str] = []
    event.listen(world.database._engines[0], "before_cursor_execute", lambda *said: told.append(said[2]))
    for agent, frame in zip(agents[:20], got, strict=False):
        world.report(agent, want=1, done=[frame.attempt])
    assert sum("JOIN slave" in one for one in told) == 1
    assert world.counts(job) == {"leased": 1, "done": 20}
    world.pass_time(60)
    world.report(agents[20], running={got[20].attempt: 60})
    assert numbers_of(world.report(agents[0], want=1)) == [got[20].number]


def test_nothing_is_doubled_while_a_frame_is_ready(world: World) -> None:
    world.job("1-10")
    first, second = world.slave("ws01"), world.slave("ws02")
    held = frames_of(world.report(first, want=1))[0]
    assert held.number not in numbers_of(world.report(second, want=1))


def test_a_job_waits_in_line(world: World) -> None:
    world.slave("ws01")
    world.job("1-10", priority=90)
    later = world.job("1-10")
    assert world.why(later) == ["All fitting slaves are busy; the job is number 2 in line."]


def test_a_farm_without_slaves_says_so(world: World) -> None:
    assert world.why(world.job()) == ["The farm has no slaves yet."]


def test_offline_slaves_are_named_if_only_they_may(world: World) -> None:
    slave = world.slave("ws01")
    job = world.job(slaves=["ws01"])
    world.steer("log_out", slave)
    assert world.why(job) == ["Only ws01 may render it: offline."]


def test_a_paused_job_leases_nothing_and_says_why(world: World) -> None:
    job, slave = world.job(), world.slave("ws01")
    world.act("pause", job, PauseReason.USER)
    assert not world.report(slave, want=1).leases
    assert world.why(job) == ["The job is paused."]
    world.act("resume", job)
    assert world.report(slave, want=1).leases


def test_the_policy_says_how_often_to_report(world: World) -> None:
    world.policy = Policy(heartbeat_seconds=8)
    assert world.report(world.slave("ws01")).heartbeat_seconds == 8


def test_a_slave_is_lost_so_early_that_its_frames_are_back_before_it_missed_three_heartbeats() -> None:
    policy, sweep = Policy(), microseconds(1)
    assert policy.lost_us + sweep <= microseconds(3 * policy.heartbeat_seconds)
    assert policy.lost_us > microseconds(2 * policy.heartbeat_seconds) + sweep


def test_a_report_costs_few_statements_and_fewer_in_a_crowd(world: World) -> None:
    world.job("1-500")
    agents = [world.slave(f"ws{n}") for n in range(20)]
    for agent in agents:
        world.stage([f.attempt for f in frames_of(world.report(agent, want=1))])
    statements: list[str] = []
    engine = world.database._engines[0]
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    world.report(agents[0], want=1, done=list(agents[0].holding), seconds=20, stage=False)
    assert len(statements) <= 17
    statements.clear()

    async def all_at_once() -> None:
        calls = []
        for agent in agents[1:]:
            agent.seq += 1
            ends = [Finished(attempt=a, sha256=digest(a), seconds=20) for a in agent.holding]
            report = Report(seq=agent.seq, want=1, finished=ends)
            calls.append(world.database.write(TakeReport(agent.id, report, world.at, world.policy)))
        orders = await asyncio.gather(*calls)
        assert all(order.leases for order in orders)

    asyncio.run(all_at_once())
    assert len(statements) <= 40, statements
