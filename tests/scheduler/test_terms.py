"""The terms on which the farm is shared, as admins change them."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.jobs import rushes, shares
from farm.jobs.access import Asker
from farm.protocol.shares import ShareTerms, UserShareWish
from farm.scheduler import agreed
from farm.scheduler.fairness import ALONE
from farm.scheduler.policy import Policy
from farm.scheduler.standing import read
from farm.scheduler.terms import ERA, FORGOTTEN, HALF_LIFE, Terms
from farm.words.clock import SECOND
from farm.words.errors import NotFound
from tests.scheduler.world import World, frames_of

SPANS = st.dictionaries(st.integers(0, 12), st.integers(600, 7 * 86400).map(lambda s: s * SECOND), max_size=4)


def admin(world: World) -> Asker:
    return Asker(world.owner, "anna", admin=True)


def change(world: World, **wish: float) -> None:
    world.database.write_now(partial(shares.change, admin=admin(world), wish=ShareTerms(**wish), at=world.at))


def change_user(world: World, name: str, **wish: float) -> None:
    wanted = UserShareWish.model_validate(wish)
    world.database.write_now(partial(shares.change_user, admin=admin(world), name=name, wish=wanted, at=world.at))


def minutes(world: World, user: int) -> float:
    return world.database.read_now(lambda c: read(c, world.at)).user(user).work / SECOND / 60


@given(SPANS, st.integers(0, 10 * ERA), st.integers(0, 5 * ERA))
def test_what_is_noted_counts_in_full_at_once_and_never_more_later(spans: dict[int, int], at: int, later: int) -> None:
    terms = Terms(half_lives=spans)
    noted = terms.grown(1.0, at)
    assert terms.faded(noted, at // ERA, at) == pytest.approx(1)
    once, twice = (terms.faded(noted, at // ERA, at + span) for span in (later, later + ERA))
    assert twice < once <= 1 + 1e-9


@given(SPANS, st.integers(0, 20 * ERA))
def test_what_is_forgotten_was_next_to_nothing(spans: dict[int, int], at: int) -> None:
    terms = Terms(half_lives=spans)
    oldest = terms.oldest(at)
    if oldest:
        assert terms.faded(terms.grown(1.0, oldest * ERA - 1), oldest - 1, at) <= 2.0**-FORGOTTEN * 1.001


@given(st.integers(0, 10 * ERA))
def test_by_default_work_counts_half_after_an_hour(at: int) -> None:
    terms = Terms()
    assert terms.faded(terms.grown(8.0, at), at // ERA, at + HALF_LIFE) == pytest.approx(4)


def test_another_half_life_holds_from_the_next_era_on_and_changes_nothing_of_what_was(world: World) -> None:
    world.job("1-500")
    agent = world.slave("ws1")
    world.render(agent, seconds=600)
    before = minutes(world, world.owner)
    change(world, half_life_minutes=600)
    assert minutes(world, world.owner) == pytest.approx(before)
    view = world.database.read_now(partial(shares.view, asker=admin(world), at=world.at))
    assert (view.half_life_minutes, view.next_half_life_minutes) == (60, 600)
    world.pass_time((ERA - world.at % ERA) / SECOND)
    at_first = minutes(world, world.owner)
    world.pass_time(3600)
    assert minutes(world, world.owner) == pytest.approx(at_first * 0.5**0.1)


def test_who_weighs_three_times_as_much_gets_three_of_four_frames(world: World) -> None:
    bea = world.user("bea")
    mine, hers = world.job("1-500"), world.job("1-500", owner=bea)
    change_user(world, "bea", weight=3)
    agent = world.slave("ws1")
    world.policy = world.policy.__class__(lease_frames=1)
    got = {mine: 0, hers: 0}
    for _ in range(40):
        (frame,) = frames_of(orders := world.report(agent, want=1))
        got[orders.leases[0].job] += 1
        world.pass_time(30)
        world.report(agent, done=[frame.attempt], seconds=30)
    assert abs(got[hers] - 30) <= 2


def test_a_user_holds_no_more_slots_than_an_admin_says_and_is_told(world: World) -> None:
    job = world.job("1-500")
    agents = [world.slave(f"ws{n}") for n in range(3)]
    change_user(world, "anna", slots=2)
    assert [bool(world.report(agent, want=1).leases) for agent in agents] == [True, True, False]
    assert world.why(job) == ["Its owner's jobs may hold 2 slots at a time, and hold 2."]
    change_user(world, "anna", slots=0)
    assert world.report(agents[2], want=1).leases
    with pytest.raises(NotFound):
        change_user(world, "nobody", weight=2)


def test_the_farms_own_limits_are_named_by_why(world: World) -> None:
    world.policy = Policy(user_slots=1, strangers=True, job_share=0.5)
    world.database.write_now(partial(agreed.limit, policy=world.policy))
    bea = world.user("bea")
    mine, hers = world.job("1-500"), world.job("1-500", owner=bea)
    agents = [world.slave(f"ws{n}", owner=bea) for n in range(4)]
    for agent in agents:
        world.log_in(agent, contained=True)
    change_user(world, "bea", slots=9)
    for agent in agents:
        world.report(agent, want=1)
    assert world.why(mine) == ["Its owner's jobs may hold 1 slots at a time, and hold 1."]
    assert world.why(hers) == ["It holds 3 of 4 slots, and gets more only where no other job wants them."]


def test_how_long_nobody_waits_is_the_admins_to_say(world: World) -> None:
    change(world, unserved_minutes=2, points_weight=0)
    terms = world.database.read_now(agreed.read)
    assert (terms.unserved, terms.points) == (120 * SECOND, 0)
    change(world, points_weight=1)
    assert world.database.read_now(agreed.read).unserved == 120 * SECOND


def test_others_are_held_until_the_job_ends_and_not_again_when_it_is_retried(world: World) -> None:
    first, other = world.job("1-2"), world.job("1-2")
    world.database.write_now(partial(rushes.say, admin=admin(world), job=first, rush=ALONE, at=world.at))
    agent = world.slave("ws1")
    assert world.why(other)[0].startswith("An admin holds all other jobs")
    world.act("cancel", first)
    world.act("retry", first, None)
    assert world.job_row(first).rush == 0
    assert {lease.job for lease in world.report(agent, want=1).leases} <= {first, other}
    assert not any("An admin holds" in line for line in world.why(other))


def test_an_admins_word_is_taken_back_and_both_are_on_record(world: World) -> None:
    first, other = world.job("1-50"), world.job("1-50")
    agent = world.slave("ws1")

    def say(rush: int) -> None:
        world.database.write_now(partial(rushes.say, admin=admin(world), job=other, rush=rush, at=world.at))

    def next_job() -> int:
        orders = world.report(agent, want=1)
        world.report(agent, returned=[frame.attempt for frame in frames_of(orders)])
        return orders.leases[0].job

    assert next_job() == first
    say(ALONE)
    assert next_job() == other
    say(0)
    world.pass_time(2)
    assert next_job() == first
