"""Which frame a slot gets, where frames of a job depend on those before them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from farm.protocol.slaves import Lease, LeasedFrame
from farm.slave.desk import Desk
from farm.slave.held import Stage
from farm.words.states import FrameOrder

pytestmark = pytest.mark.anyio


def lease(job: int, first: int, count: int, order: FrameOrder) -> Lease:
    frames = [LeasedFrame(attempt=100 * job + n, number=n, picture=n) for n in range(first, first + count)]
    return Lease(lease=job, job=job, revision=1, frames=frames, deadline=datetime(2100, 1, 1, tzinfo=UTC), order=order)


async def test_frames_in_order_are_never_rendered_at_once_nor_in_two_sessions() -> None:
    opened: set[int] = set()
    desk = Desk(opened=lambda: opened)
    desk.add(lease(7, 1, 3, FrameOrder.IN_ORDER))
    desk.add(lease(8, 1, 1, FrameOrder.ANY))
    first = await desk.take(None, 0.01)
    assert first is not None
    assert (first.job, first.number) == (7, 1)
    other = await desk.take(None, 0.01)
    assert other is not None
    assert other.job == 8, "the second slot does something else"
    assert await desk.take(None, 0.01) is None
    opened.add(7)
    first.stage = Stage.FINISHING
    assert await desk.take(8, 0.01) is None, "it goes on in the session that has it open"
    second = await desk.take(7, 0.01)
    assert second is not None
    assert second.number == 2
    second.stage = Stage.FINISHING
    opened.clear()  # that session was closed
    third = await desk.take(8, 0.01)
    assert third is not None
    assert third.number == 3
