"""Which slave rendered what when, and which job waits for which."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from farm.database import schema
from farm.jobs.chain import chain
from farm.jobs.framemap import all_pictured
from farm.jobs.timeline import Stretch, Timeline, lanes, timeline
from farm.protocol.depends import Dependency
from farm.words.clock import SECOND
from farm.words.errors import JobNotFound
from farm.words.states import AttemptState
from tests.jobs.pretend import NOW, Farm


@given(
    st.lists(st.tuples(st.sampled_from(["ws01", "ws02"]), st.integers(0, 100), st.integers(0, 30)), max_size=40),
    st.integers(1, 5),
)
def test_no_lane_holds_two_frames_at_once_nor_has_a_slave_more_lanes_than_slots(
    told: list[tuple[str, int, int]], slots: int
) -> None:
    stretches = [Stretch(s, n, AttemptState.WON, at, at + length) for n, (s, at, length) in enumerate(told)]
    made = lanes(stretches, {"ws01": slots, "ws02": slots})
    assert sorted(one.frame for lane in made for one in lane.stretches) == list(range(len(told)))
    for lane in made:
        for one, after in zip(lane.stretches, lane.stretches[1:], strict=False):
            assert one.began <= one.ended <= after.began
    for name in ("ws01", "ws02"):
        assert sum(lane.slave == name for lane in made) <= slots


def test_frames_that_fit_beside_each_other_are_shown_as_they_were_told() -> None:
    told = [Stretch("ws01", n, AttemptState.WON, n * 10, n * 10 + 15) for n in range(4)]
    made = lanes(told, {"ws01": 2})
    assert [[one.frame for one in lane.stretches] for lane in made] == [[0, 2], [1, 3]]
    assert Timeline(made, 0, 45).busy == pytest.approx(60 / 90)


def test_a_timeline_follows_the_slaves_word_within_what_the_server_saw(farm: Farm) -> None:
    anna = farm.user("anna")
    slave = farm.slave("ws01", anna)
    job = farm.job(anna)
    one = farm.attempt(job, 1, slave)
    farm.accept(one, NOW + 20 * SECOND)
    _says(farm, one, trace=f"wait:0+{SECOND} render:{2 * SECOND}+{8 * SECOND} check:{10 * SECOND}+{SECOND}")
    lying = farm.attempt(job, 2, slave, AttemptState.FAILED)
    _says(farm, lying, trace=f"render:{20 * SECOND}+{9000 * SECOND}", ended=NOW + 30 * SECOND)
    farm.attempt(job, 3, slave, AttemptState.RETURNED)
    found = farm.database.read_now(partial(timeline, asker=anna, job=job, at=NOW + 60 * SECOND))
    assert found is not None
    (lane,) = found.lanes
    shown = [(o.frame, (o.began - NOW) / SECOND, (o.ended - NOW) / SECOND) for o in lane.stretches]
    assert shown == [(1, 2, 10), (2, 20, 30)], "what never had a slot is not there"


def test_nothing_rendered_has_no_timeline_and_a_strangers_job_none_for_others(farm: Farm) -> None:
    anna, eve = farm.user("anna"), farm.user("eve", studio=False)
    job = farm.job(anna)
    assert farm.database.read_now(partial(timeline, asker=anna, job=job, at=NOW)) is None
    for look in (partial(timeline, at=NOW), chain, all_pictured):
        with pytest.raises(JobNotFound):
            farm.database.read_now(partial(look, asker=eve, job=job))


def test_a_chain_has_levels_and_hides_the_names_of_strangers_jobs(farm: Farm) -> None:
    anna = farm.user("anna", studio=False)
    first = farm.job(anna, name="bake")
    left, right = (farm.job(anna, name=name, depends=[Dependency(on=str(first))]) for name in ("left", "right"))
    last = farm.job(anna, name="film", depends=[Dependency(on=str(left)), Dependency(on=str(right))])
    eve, hers = farm.user("eve").user, schema.jobs.c.number == right
    farm.database.write_now(lambda c: c.execute(update(schema.jobs).where(hers).values(owner=eve)) and None)
    found = farm.database.read_now(partial(chain, asker=anna, job=last))
    assert [[one.name for one in level] for level in found] == [["bake"], ["left"], ["film"]]
    assert found[-1][0].needs == (left,)
    assert [[one.job for one in level] for level in farm.database.read_now(partial(chain, asker=anna, job=first))] == [
        [first],
        [left],
        [last],
    ]


def _says(farm: Farm, attempt: int, **values: object) -> None:
    this = schema.attempts.c.id == attempt
    farm.database.write_now(lambda c: c.execute(update(schema.attempts).where(this).values(**values)) and None)
