from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.peers import lent
from farm.peers.occupied import LEAST, Occupied
from farm.protocol.slaves import Failed, Finished, Lease, LeasedFrame, Orders, Report, Running
from farm.scheduler.policy import Policy
from farm.words.clock import SECOND, moment, now
from farm.words.states import FailureClass

NUMBERS = st.integers(0, 2**lent.BITS - 1)
PLACES = st.integers(1, lent.PLACES - 1)


@given(PLACES, NUMBERS)
def test_each_number_comes_back_as_it_was(place: int, number: int) -> None:
    assert lent.there(lent.here(place, number)) == (place, number)
    assert lent.here(place, number) <= 2**62
    assert lent.there(number) == (0, number), "this server's own numbers stay as they are"


@given(st.lists(st.tuples(st.integers(0, 3), NUMBERS), unique=True, max_size=20))
def test_a_report_is_taken_apart_without_loss(named: list[tuple[int, int]]) -> None:
    numbers = [lent.here(place, number) for place, number in named]
    report = Report(
        seq=7,
        want=3,
        running=[Running(attempt=number) for number in numbers],
        finished=[Finished(attempt=number, sha256="0" * 64, seconds=1) for number in numbers],
        failed=[Failed(attempt=number, failure_class=FailureClass.SLAVE, message="no") for number in numbers],
        holding=numbers,
        finishing=numbers,
        returned=numbers,
    )
    own, parts = lent.split(report)
    assert (own.seq, own.want) == (7, 3)
    assert {place for place, _ in named} - {0} == parts.keys()
    for place, part in {0: own, **parts}.items():
        mine = [number for at, number in named if at == place]
        assert mine == part.holding == part.finishing == part.returned
        assert mine == [one.attempt for one in part.running]
        assert mine == [one.attempt for one in part.finished] == [one.attempt for one in part.failed]
    assert all(part.want == 0 for part in parts.values())


def test_work_of_the_own_server_displaces_what_was_not_begun_for_peers() -> None:
    part = Report(seq=1, holding=[5, 6], running=[Running(attempt=4)])
    deadline = moment(now())
    assert deadline is not None
    lease = Lease(lease=1, job=1, revision=1, frames=[LeasedFrame(attempt=9, number=1, picture=1)], deadline=deadline)
    assert lent.displaced(Orders(), {2: part}).revoked == []
    assert lent.displaced(Orders(leases=[lease]), {2: part}).revoked == [lent.here(2, 5), lent.here(2, 6)]


def test_attempts_of_who_is_no_peer_any_more_end() -> None:
    part = Report(
        seq=1, holding=[5], running=[Running(attempt=4)], finished=[Finished(attempt=3, sha256="0" * 64, seconds=1)]
    )
    last = lent.joined(Orders(), 2, lent.orphaned(part, "gone"))
    assert last.revoked == [lent.here(2, 4), lent.here(2, 5)]
    assert [(one.attempt, one.verdict) for one in last.verdicts] == [(lent.here(2, 3), "refused")]


@given(st.floats(1, 60), st.floats(1, 60), st.booleans())
def test_slaves_of_a_large_farm_report_to_a_peer_as_often_as_its_own_do(
    own: float, theirs: float, watched: bool
) -> None:
    said = Orders(heartbeat_seconds=theirs, watched=[1] if watched else [])
    told = lent.joined(Orders(heartbeat_seconds=own), 2, said).heartbeat_seconds
    assert told <= own
    assert told <= max(theirs, lent.USUAL), "else it counts them as lost"
    assert told == min(own, theirs) if watched else told >= min(own, lent.USUAL), "nobody has them report more often"


@pytest.mark.parametrize("heartbeat", [1, 5, 25, 60])
def test_slots_of_a_lent_slave_count_as_long_as_it_may_be_silent(heartbeat: float) -> None:
    clock, policy = [1000.0], Policy(heartbeat_seconds=heartbeat)
    occupied = Occupied(lambda: policy.lost_us / SECOND, lambda: clock[0])
    occupied.hold(1, 7, 2)
    occupied.hold(2, 7, 1)
    silence = max(LEAST, policy.lost_us / SECOND)
    clock[0] += silence - 0.1
    occupied.hold(1, 8, 3)
    assert [occupied.by(place) for place in (1, 2, 3)] == [5, 1, 0]
    clock[0] += 0.2
    assert [occupied.by(place) for place in (1, 2, 3)] == [3, 0, 0]
    occupied.hold(1, 8, 0)
    assert occupied.by(1) == 0
    assert silence >= 2 * heartbeat, "a report may be late"
