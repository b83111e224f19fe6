"""How many reports are worked on at a time, who waits, and who is told to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from farm.api.slave.admission import BESIDE, Admission, Place
from farm.words.errors import Crowded


def story(told: Callable[[Admission], Awaitable[None]], **more: int) -> None:
    async def run() -> None:
        await told(Admission(30, clock=lambda: 1000.0, **more))

    asyncio.run(run())


async def lined_up(admission: Admission, *sizes: int) -> list[asyncio.Task[Place]]:
    tasks = [asyncio.create_task(admission.enter(size)) for size in sizes]
    await asyncio.sleep(0)
    return tasks


def test_so_many_are_worked_on_and_the_others_follow_in_their_order() -> None:
    async def told(admission: Admission) -> None:
        first, second, third, fourth = await lined_up(admission, 1, 2, 3, 4)
        assert [task.done() for task in (first, second, third, fourth)] == [True, True, False, False]
        second.result().leave()
        second.result().leave()
        assert (await third).size == 3 + BESIDE
        await asyncio.sleep(0)
        assert not fourth.done()
        first.result().leave()
        await fourth

    story(told, at_once=2)


def test_who_finds_no_room_is_told_to_come_again_each_later_than_the_one_before() -> None:
    async def told(admission: Admission) -> None:
        places = [await admission.enter(0) for _ in range(4)]
        waits = []
        for _ in range(5000):
            with pytest.raises(Crowded) as refused:
                await admission.enter(0)
            waits.append(refused.value.facts["retry_after"])
        assert waits == sorted(waits)
        assert 1 <= waits[0] < waits[-1] <= 30
        assert admission.turned_away()
        assert not admission.turned_away()
        places[0].leave()
        await admission.enter(0)

    story(told, at_once=2000, room=4 * BESIDE)


def test_the_waits_never_grow_beyond_the_longest() -> None:
    async def told(admission: Admission) -> None:
        await admission.enter(0)
        for _ in range(50_000):
            with pytest.raises(Crowded) as refused:
                await admission.enter(0)
            assert 1 <= refused.value.facts["retry_after"] <= 30

    story(told, room=BESIDE)


def test_a_report_that_would_never_fit_is_taken_when_nothing_else_is_here() -> None:
    async def told(admission: Admission) -> None:
        place = await admission.enter(10**9)
        with pytest.raises(Crowded):
            await admission.enter(1)
        place.leave()
        await admission.enter(1)

    story(told, room=BESIDE)


def test_who_goes_away_while_it_waits_takes_nobody_s_place() -> None:
    async def told(admission: Admission) -> None:
        first, second, third = await lined_up(admission, 1, 1, 1)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        first.result().leave()
        third_place = await third
        assert admission.bytes == third_place.size
        fourth = (await lined_up(admission, 1))[0]
        third_place.leave()
        fourth.cancel()  # its turn has come in the same moment
        await asyncio.gather(fourth, return_exceptions=True)
        assert admission.bytes == 0
        (await admission.enter(1)).leave()

    story(told, at_once=1)
