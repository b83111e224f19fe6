from __future__ import annotations

import pytest

from farm.words.errors import WrongState
from farm.words.states import (
    FRAME_ENDED,
    FRAME_MOVES,
    JOB_ENDED,
    JOB_MOVES,
    SLAVE_MOVES,
    FrameState,
    JobState,
    SlaveState,
    move,
)


def test_every_state_has_its_moves() -> None:
    assert set(JOB_MOVES) == set(JobState)
    assert set(FRAME_MOVES) == set(FrameState)
    assert set(SLAVE_MOVES) == set(SlaveState)


def test_a_deleted_job_stays_deleted() -> None:
    assert not JOB_MOVES[JobState.DELETED]


def test_every_job_that_is_not_deleted_can_end() -> None:
    for state in set(JobState) - {JobState.DELETED}:
        reached, todo = {state}, [state]
        while todo:
            for new in JOB_MOVES[todo.pop()] - reached:
                reached.add(new)
                todo.append(new)
        assert reached & JOB_ENDED


def test_an_ended_frame_lives_only_by_becoming_ready_or_blocked_again_or_by_a_late_result() -> None:
    for state in FRAME_ENDED:
        assert FRAME_MOVES[state] <= {FrameState.READY, FrameState.BLOCKED, FrameState.DONE}


def test_a_move_that_the_table_lacks_is_refused_by_name() -> None:
    with pytest.raises(WrongState, match="deleted can't become queued"):
        move(JOB_MOVES, JobState.DELETED, JobState.QUEUED)
