"""Slots of graphics cards, with real processes; the cards are invented, for there are none where this is tested."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from farm.methods.base import PROCESSOR, Device, MethodConfig, Offered
from farm.methods.registry import method
from farm.methods.sleep.method import SleepMethod
from farm.protocol.slaves import Lease
from farm.slave.agent import Agent
from farm.slave.cardtrial import contained, try_card
from farm.slave.containment import contain
from farm.slave.events import Events
from farm.slave.folders import Folders
from farm.slave.held import Stage
from farm.words.states import FailureClass
from tests.blenders import two
from tests.slave.fakefarm import FakeFarm
from tests.slave.test_agent import Running, settings

pytestmark = pytest.mark.anyio

CARD = Device("CUDA", "CUDA_INVENTED_0000:01:00", "Invented", "0000:01:00")


class SlotFarm(FakeFarm):
    """A server whose leases say which slots may have them: by job."""

    def __init__(self) -> None:
        super().__init__()
        self.slots: dict[int, str] = {}
        self.per_lease = 1

    def _lease(self) -> Lease:
        lease = super()._lease()
        return lease.model_copy(update={"slot": self.slots.get(lease.job, "")})


def start(folder: Path, farm: FakeFarm, told: list) -> tuple[Running, object]:
    chosen = settings(folder)
    folders = Folders.of(chosen)
    lock = folders.claim()
    (plain,) = method("sleep").offers(MethodConfig())
    agent = Agent(chosen, farm, folders, [Offered(plain.offer, plain.launcher, (CARD,))], Events(told.append))
    return Running(farm, agent, asyncio.create_task(agent.run()), folders, told), lock


async def test_a_card_is_a_slot_of_its_own_and_gets_nothing_more_when_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def broken(self: SleepMethod, offered: Offered, card: Device, *more: object) -> str:
        tried.append(card.id)
        return "It fell off the bus."

    monkeypatch.setattr(SleepMethod, "broken", broken)
    farm, told = SlotFarm(), []
    farm.slots = {1: "cpu", 2: "gpu", 3: "gpu"}
    farm.job(1, range(2), seconds=0.4)
    farm.job(2, range(1), seconds=0.4)
    running, lock = start(tmp_path, farm, told)
    try:
        await farm.until(lambda: len(running.agent.desk.in_stage(Stage.RENDERING)) == 2)
        at_once = {frame.job for frame in running.agent.desk.in_stage(Stage.RENDERING)}
        assert at_once == {1, 2}, "one frame on the processor, one on the card"
        assert (farm.reports[0].want, farm.reports[0].cards) == (2, 1)
        await farm.until(lambda: len(farm.done) == 3)
        assert not tried
        farm.job(3, range(1), crash_frames="0")
        await farm.until(lambda: farm.failed and farm.reports[-1].cards == 0 and farm.reports[-1].want == 1)
        assert farm.failed[0].failure_class is FailureClass.SLAVE
        assert tried == [CARD.id]
        (warning,) = [event for event in told if event["event"].startswith("graphics card")]
        assert warning["reason"] == "It fell off the bus."
        farm.job(1, range(5, 7), seconds=0.05)
        await farm.until(lambda: len(farm.done) == 5)
        await running.end()
    finally:
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)
        lock.release()  # type: ignore[attr-defined]


@pytest.mark.blender
async def test_a_card_is_tried_in_the_sandbox_too(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    folders = Folders.of(chosen)
    lock = folders.claim()
    try:
        containment = await contain(chosen, folders, [])
        if not containment.works:
            pytest.skip(containment.reason)
        for blender in two():
            # There is no card here; what the trial renders with in its place is the processor.
            assert await asyncio.to_thread(try_card, containment, folders, blender, PROCESSOR) == ""
            (one,) = await asyncio.to_thread(contained, containment, folders, [replace(blender, cards=(CARD,))])
            assert one.cards == ()
            assert one.offer.devices == []
            assert one.offer.cannot[-1].startswith("CUDA Invented in the sandbox: The graphics card")
        assert list(folders.sessions.iterdir()) == []
    finally:
        lock.release()
