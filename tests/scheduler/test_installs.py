"""What slaves that install renderers by themselves are asked for."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer, Renderer
from farm.scheduler.fit import Machine, fits
from farm.scheduler.installs import would_do
from tests.scheduler.test_versions import offer, some_requirements, some_versions, version
from tests.scheduler.world import World, numbers_of

lines = st.lists(some_versions.map(lambda v: v.rpartition(".")[0]), max_size=5)


def blender(*versions: str) -> tuple[Renderer, ...]:
    return tuple(Renderer(method="blender", version=one) for one in versions)


@given(some_requirements, lines, st.lists(some_versions, max_size=3))
def test_only_what_would_do_and_is_not_there_is_installed(
    requires: Requirement, installs: list[str], have: list[str]
) -> None:
    slave = Machine(1, "ws01", 1, tuple(map(offer, have)), installs=blender(*installs))
    chosen = would_do(requires, slave)
    if not chosen:
        return
    assert ".".join(chosen.split(".")[:2]) in installs
    assert not fits(requires, [Offer(method="blender", version=chosen)])
    assert not any(not fits(requires, [one]) for one in slave.offers)
    assert version(chosen)[:2] >= version(requires.version)[:2]


def test_an_idle_slave_is_asked_for_what_the_first_job_waits_for(world: World) -> None:
    slave = world.slave("ws01", 1, offer("3.4.1"))
    world.log_in(slave, 1, offer("3.4.1"), installs=blender("4.2", "4.5"))
    assert world.report(slave, want=1).install is None, "no job waits"
    world.job("1-4", requires=needs("3.6"))
    job = world.job("1-4", requires=needs("4.5"))
    assert world.report(slave, want=1).install == blender("4.5")[0]
    assert world.why(job)[1:] == ["ws01: installs it as soon as nothing else renders there."]
    assert world.report(slave, want=0).install is None, "it is told to rest"
    world.log_in(slave, 1, offer("4.5.9"), installs=blender("4.2", "4.5"))
    orders = world.report(slave, want=1)
    assert (orders.install, world.job_row(job).pinned) == (None, "4.5.9")
    assert numbers_of(orders)


def test_a_slave_with_frames_is_asked_for_nothing(world: World) -> None:
    slave = world.slave("ws01", 2, offer("3.4.1"))
    world.log_in(slave, 2, offer("3.4.1"), installs=blender("4.5"))
    world.job("1-4", requires=needs("4.5"))
    world.job("1", requires=needs("3.4"))
    orders = world.report(slave, want=1)
    assert (len(numbers_of(orders)), orders.install) == (1, None)
    assert world.report(slave, want=1).install is None


def test_why_it_could_not_be_installed_is_among_the_reasons(world: World) -> None:
    slave = world.slave("ws01", 1, offer("3.4.1"))
    said = "blender 4.5 could not be installed: Only 1.0 GB are free."
    world.log_in(slave, 1, offer("3.4.1"), remarks=[said, "blender 4.2 could not be installed: x"])
    job = world.job("1-4", requires=needs("4.5"))
    assert world.why(job) == ["No slave has blender 4.5; 1 has 3.4.1: install 4.5, or wait.", f"ws01: {said}"]


def needs(text: str) -> str:
    return json.dumps({"method": "blender", "version": text})
