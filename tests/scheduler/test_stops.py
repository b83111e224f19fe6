"""Stops that a slave hears of late, or never: what becomes of them when it logs in again."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from farm.database.schema import slaves
from farm.protocol.errands import ErrandView, ErrandWord, SendErrand
from farm.scheduler import errands
from farm.words.errands import Errand
from tests.scheduler.world import Agent, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sent(world: World, errand: Errand) -> tuple[Agent, int]:
    agent = world.slave("ws1")
    world.database.write_now(lambda c: c.execute(update(slaves).values(build="this")) and None)
    wish = SendErrand(errand=errand)
    return agent, world.database.write_now(lambda c: errands.order(c, agent.id, wish, world.owner, world.at))


def view(world: World, agent: Agent) -> ErrandView:
    (found,) = world.database.read_now(lambda c: errands.views(c, agent.id))
    return found


@pytest.mark.parametrize(
    ("errand", "said"), [(Errand.STOP, "It ended; it runs again."), (Errand.RESTART, "It is back.")]
)
def test_what_began_and_ended_without_a_word_is_done_when_the_slave_is_back(
    world: World, errand: Errand, said: str
) -> None:
    agent, number = sent(world, errand)
    word = ErrandWord(number=number, stage="begun")
    world.database.write_now(lambda c: errands.hear(c, agent.id, word, world.at))
    world.log_in(agent)
    assert (view(world, agent).stage, view(world, agent).message) == ("done", said)


@pytest.mark.parametrize(("later", "stage"), [(60, "ordered"), (3600, "failed")])
def test_a_stop_that_nobody_heard_of_is_told_to_who_is_back_soon_and_said_to_have_failed_later(
    world: World, later: float, stage: str
) -> None:
    agent, _ = sent(world, Errand.STOP)
    world.steer("log_out", agent)
    assert view(world, agent).stage == "ordered"
    world.pass_time(later)
    world.log_in(agent)
    assert view(world, agent).stage == stage
    assert (world.report(agent).errand is None) is (stage == "failed")
