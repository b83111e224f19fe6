"""Who is woken when something happens, and who sleeps on."""

from __future__ import annotations

import asyncio
from typing import Any

from farm.api.slave.polls import FRUITLESS, TOGETHER, Call, Polls
from farm.database.reader import Told
from farm.database.vector import Vector


def told(kind: str, slave: str | None = None, **data: Any) -> list[Told]:
    return [Told(kind, 0, Vector(), 1, slave, data)]


WORK = told("frames", ranges={"ready": "1-3"})


def hanging(polls: Polls, count: int, *, holds: bool = False) -> list[Call]:
    calls = [Call(number, f"ws{number}", wants=True, holds=holds) for number in range(count)]
    for call in calls:
        polls.begin(call)
        polls.look(call)
        polls.hang(call)
    return calls


def woken(calls: list[Call]) -> list[int]:
    return [call.slave for call in calls if call._woken]


def test_news_of_work_wakes_a_few_and_who_finds_some_the_next_two() -> None:
    polls = Polls()
    calls = hanging(polls, 30)
    polls.hear(WORK)
    assert woken(calls) == list(range(TOGETHER))
    polls.served(calls[0])
    polls.end(calls[0])
    assert woken(calls) == list(range(TOGETHER + 2))
    polls.look(calls[1])
    polls.hang(calls[1])
    assert woken(calls) == list(range(TOGETHER + 2))
    polls.look(calls[2])
    polls.hang(calls[2])
    assert woken(calls) == list(range(TOGETHER + 3))


def test_who_has_a_slot_idle_is_woken_before_those_who_look_ahead() -> None:
    polls = Polls()
    ahead = hanging(polls, TOGETHER, holds=True)
    idle = Call(99, "ws99", wants=True, holds=True, idle=True)
    polls.begin(idle)
    polls.look(idle)
    polls.hang(idle)
    polls.hear(WORK)
    assert woken([*ahead, idle]) == [*range(TOGETHER - 1), 99]


def test_when_many_in_a_row_got_nothing_the_others_sleep_on() -> None:
    polls = Polls()
    calls = hanging(polls, 500)
    polls.hear(WORK)
    looked = 0
    while looking := list(polls._looking):
        for call in looking:
            looked += 1
            polls.look(call)
            polls.hang(call)
    assert FRUITLESS <= looked <= FRUITLESS + TOGETHER
    polls.hear(WORK)
    assert polls._looking, "and new work wakes again"
    assert len(calls) == 500


def test_when_terms_changed_all_look_once_though_many_find_nothing() -> None:
    polls = Polls()
    calls = hanging(polls, 500)
    polls.renew()
    looked = set()
    while looking := list(polls._looking):
        assert len(looking) <= TOGETHER, "a few at a time"
        for call in looking:
            looked.add(call.slave)
            polls.look(call)
            polls.hang(call)
    assert len(looked) == len(calls)


def test_work_that_appears_while_a_slave_looks_is_not_missed() -> None:
    polls = Polls()
    call = Call(1, "ws1", wants=True, holds=False)
    polls.begin(call)
    polls.look(call)
    polls.hear(WORK)  # its own look was too early to see this
    polls.hang(call)
    assert woken([call]) == [1]


def test_frames_that_finish_wake_nobody() -> None:
    polls = Polls()
    calls = hanging(polls, 3)
    polls.hear(told("frames", ranges={"done": "1", "leased": "2-3"}))
    polls.hear(told("job", state="done"))
    assert woken(calls) == []


def test_a_slave_is_woken_by_what_concerns_it() -> None:
    polls = Polls()
    calls = hanging(polls, 3)
    polls.hear(told("slave", slave="ws1", state="paused"))
    assert woken(calls) == [1]


def test_a_canceled_job_wakes_all_who_hold_frames() -> None:
    polls = Polls()
    idle, busy = hanging(polls, 2), Call(9, "ws9", wants=False, holds=True)
    polls.begin(busy)
    polls.hang(busy)
    polls.hear(told("job", state="canceled"))
    assert woken([*idle, busy]) == [9]


def test_a_newer_call_ends_the_older_one_and_only_that() -> None:
    polls = Polls()
    (older,) = hanging(polls, 1)
    newer = Call(0, "ws0", wants=True, holds=False)
    polls.begin(newer)
    assert older.superseded
    assert woken([older]) == [0]
    polls.end(older)
    assert len(polls) == 1
    polls.end(newer)
    assert len(polls) == 0
    assert not polls._idle
    assert not polls._ahead


def test_stopping_wakes_all() -> None:
    polls = Polls()
    calls = hanging(polls, 3)
    polls.stop()
    assert woken(calls) == [0, 1, 2]


def test_a_sleeping_call_wakes_or_times_out() -> None:
    async def story() -> None:
        call = Call(1, "ws1", wants=True, holds=False)
        assert not await call.sleep(0.01)
        asyncio.get_running_loop().call_later(0.01, call.wake)
        assert await call.sleep(10)
        assert not await call.sleep(0), "being woken counts once"
        call.wake()
        assert await call.sleep(0), "also when it came first"

    asyncio.run(story())
