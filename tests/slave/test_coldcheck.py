"""Warm frames are compared with cold ones, also late in a session; one difference ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farm.pictures.checker import Checker
from farm.pictures.compare import Likeness
from farm.slave.coldcheck import EVERY, Answer, ColdCheck, due
from farm.slave.events import Events
from farm.slave.held import Held
from farm.slave.limits import Allowance
from farm.slave.opened import Done
from farm.slave.pace import Pace
from farm.slave.session import Work
from farm.slave.slot import Slot
from farm.slave.trace import Trace

STALE = 9
"""Warm frames after which the pretended renderer below draws what it prepared before."""


class StaleRenderer:
    """No Blender: a renderer with an injected fault, whose warm pictures are wrong from some frame on."""

    def __init__(self) -> None:
        self.frames = self.warm = 0
        self.log = SimpleNamespace(of_frame=lambda: "", tail=lambda: "")
        self.rendered: list[tuple[int, bool]] = []
        self.kept: list[int] = []

    async def render(self, work: Work, *, cold: bool = False, keep: bool = False) -> Done:
        right = cold or self.frames == 0 or self.warm < STALE
        self.warm += not cold and self.frames > 0
        self.frames += 1
        self.rendered.append((work.number, cold))
        self.kept += [work.number] if keep else []
        path = work.output / "a.png"
        Image.new("RGB", (4, 4), (work.number, 0 if right else 99, 0)).save(path)
        return Done({"a.png": path}, 0.1, 0.1, 0, 1)


class FakeSeat:
    """A seat whose renderer is replaced when persistent data are switched off, as the real one's is."""

    def __init__(self, folder: Path) -> None:
        self.output, self.drawing = folder, ""
        self.persistent, self.warm, self.unproved = True, 0, list[int]()
        self.session = StaleRenderer()
        self.sessions = [self.session]

    async def session_for(self, here: Any, _trace: Trace) -> StaleRenderer:
        if here.cold.persistent != self.persistent:
            self.persistent, self.warm, self.session = here.cold.persistent, 0, StaleRenderer()
            self.session.warm = -(10**9)  # it keeps nothing, so nothing goes stale
            self.sessions.append(self.session)
        return self.session


@pytest.mark.anyio
async def test_a_difference_late_in_a_session_ends_persistent_data_for_the_job(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    checker = Checker(1)
    kit = SimpleNamespace(checker=checker, events=Events(told.append), pace=Pace())
    slot = Slot.__new__(Slot)
    slot._kit, slot._seat = kit, FakeSeat(tmp_path / "reach")  # type: ignore[assignment]
    (tmp_path / "reach").mkdir()
    here: Any = SimpleNamespace(cold=ColdCheck(), allowance=Allowance(), seconds=[])
    greens = {}
    try:
        for number in range(1, 15):
            folder = tmp_path / str(number)
            folder.mkdir()
            rendered = await slot._render(Held(number, 1, 1, number, number), here, folder)
            with Image.open(rendered.done.files["a.png"]) as picture:
                greens[number] = picture.getpixel((0, 0))[1]  # type: ignore[index]
    finally:
        await checker.close()
    first, second = slot._seat.sessions  # type: ignore[attr-defined]
    assert [number for number, cold in first.rendered if cold] == [2, 12], "the second frame, and late in the session"
    assert first.kept == [12], "only later comparisons leave the next frame what they prepared"
    assert greens[12] == 0, "the differing frame counts as it was rendered anew"
    assert [number for number, _ in second.rendered] == [13, 14], "without persistent data from here on"
    assert greens[13] == greens[14] == 0
    (warning,) = [event for event in told if "differ" in event["event"]]
    assert warning["look_at"] == "3-11", "the frames that went out since the last comparison are named"
    assert greens[11] == 99, "and one of them was wrong indeed"


@given(st.integers(0, 1000))
def test_no_session_goes_on_for_long_without_a_comparison(warm: int) -> None:
    assert any(due(later) for later in range(warm, warm + EVERY))


def test_one_difference_counts_for_all_sessions_of_the_job() -> None:
    check = ColdCheck()
    assert check.claim()
    check.settle(Likeness.EQUAL)
    check.settle(Likeness.DIFFERENT)
    check.settle(Likeness.EQUAL)
    assert check.answer is Answer.COLD
    assert asyncio.run(asyncio.wait_for(check.settled(), 1)) is None
