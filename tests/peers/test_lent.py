from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.peers import lent
from farm.protocol.slaves import Failed, Finished, Lease, LeasedFrame, Orders, Report, Running
from farm.words.clock import moment, now
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
