"""Checks of what strangers' slaves return, from the lot to the verdict: pretended slaves, real databases."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert, select, update

from farm.database.handle import Database
from farm.database.schema import jobs, notices, postings, result_files, spot_checks, subscriptions, users
from farm.jobs import spotchecks
from farm.protocol.jobs import Requirement
from farm.scheduler import escrow
from farm.scheduler.checkrules import (
    Picture,
)
from farm.scheduler.policy import Policy
from farm.words.states import PauseReason
from tests.scheduler.strangers import CARDS, Strangers, begun, lend
from tests.scheduler.world import frames_of


@pytest.fixture
def strangers(database: Database) -> Iterator[Strangers]:
    made = Strangers(database)
    made.world.log_in(made.checked, contained=True, devices=["CPU x"])
    yield made
    assert made.world.faults() == []


def test_each_of_a_new_slaves_frames_is_rendered_once_more_and_an_honest_one_passes(strangers: Strangers) -> None:
    strangers.checker("admins")
    job = strangers.rendered("1-3")
    assert strangers.states() == ["due"] * 3
    strangers.check({"admins": "right"}, pixels="right")
    assert strangers.states() == ["passed"] * 3
    assert strangers.world.state(job) == "done"
    assert strangers.milli() > 0


def test_a_check_is_a_job_of_the_farms_of_one_tile_with_the_jobs_own_version_and_settings(strangers: Strangers) -> None:
    strangers.checker("admins")
    job = strangers.rendered("7", settings=json.dumps({"samples": 4}))
    named = {"name": "shot_0007.png"}
    strangers.world.database.write_now(lambda c: c.execute(update(result_files).values(named)) and None)
    strangers.write(lambda c: spotchecks.begin(c, strangers.world.at))
    query = select(jobs, users.c.name.label("of")).join(users, users.c.id == jobs.c.owner).where(jobs.c.number != job)
    row = strangers.world.database.read_now(lambda c: c.execute(query).one())
    assert (row.of, row.pinned, json.loads(row.slaves)) == ("(farm)", "4.5.2", ["admins"])
    settings = json.loads(row.settings)
    tile, left = divmod(int(row.frames) - 7, settings["tile_step"])
    assert (settings["samples"], settings["tiles"], left) == (4, "4x4", 0)
    assert 0 <= tile < 16
    strangers.check({"admins": "right"}, pixels="right")


def test_a_slave_that_draws_falsely_is_retired_loses_its_points_and_its_frames_are_rendered_again(
    strangers: Strangers,
) -> None:
    for name in ("one", "two"):
        strangers.checker(name)
    told = {"user": strangers.eve, "kind": "webhook", "address": "x", "about": "slave", "secret": "", "created": 0}
    strangers.write(lambda c: c.execute(insert(subscriptions).values(told)))
    honest = strangers.rendered("1-2")
    strangers.check(dict.fromkeys(("one", "two"), "right"), pixels="right")
    kept = strangers.milli()
    job = strangers.rendered("1-3")
    assert strangers.milli() > kept
    strangers.check(dict.fromkeys(("one", "two"), "right"))
    assert set(strangers.states()) == {"passed", "false"}
    strangers.convict()
    assert strangers.states() == ["passed"] * 2 + ["convicted"] * 3
    assert strangers.world.slave_state(strangers.checked) == "retired"
    assert strangers.milli() == kept
    assert (strangers.world.state(honest), strangers.world.counts(job)) == ("done", {"ready": 3})
    text = strangers.world.database.read_now(lambda c: c.execute(select(notices.c.title)).scalars().all())
    assert text == ["Slave evil returned a false picture"]
    while strangers.world.counts(job) != {"done": 3}:
        strangers.world.render(strangers.checkers[0])


@pytest.mark.parametrize("hidden", [True, False])
def test_points_hidden_in_a_boost_are_taken_back_and_those_that_were_burnt_are_gone_without_debt(
    strangers: Strangers, hidden: bool
) -> None:
    for name in ("one", "two"):
        strangers.checker(name)
    strangers.rendered("1-3")
    earned = strangers.milli()
    own = strangers.world.job("1", owner=strangers.eve)
    if hidden:
        strangers.world.act("pause", own, PauseReason.USER)
    strangers.write(lambda c: escrow.put(c, own, earned, 1, strangers.world.at))
    assert strangers.milli() == 0
    if not hidden:
        strangers.world.render(strangers.checkers[0], seconds=1, cpu=1)
        assert 0 < strangers.milli() < earned
    left = strangers.milli()
    strangers.check(dict.fromkeys(("one", "two"), "right"))
    strangers.convict()
    assert strangers.milli() == 0
    taken = select(postings.c.milli).where(postings.c.kind == "forfeit")
    total = sum(strangers.world.database.read_now(lambda c: c.execute(taken).scalars().all()))
    assert total == (earned if hidden else left)


@pytest.mark.parametrize(("draws", "card"), [
    ({"one": "right", "two": "false", "three": "other"}, "CPU x"),
    ({"one": "this", "two": "that", "three": "other"}, "CPU x"),
    ({"one": "right", "two": "right"}, "CPU of another kind"),
])  # fmt: skip
def test_without_two_of_its_kind_that_agree_there_is_no_verdict(
    strangers: Strangers, draws: dict[str, str], card: str
) -> None:
    strangers.checker("one")
    strangers.rendered("1")
    strangers.check(draws)
    assert strangers.states() == ["due"]  # the first differs: somebody else has to look
    strangers.checker("two", card=card)
    strangers.check(draws)
    if "three" in draws:
        assert strangers.states() == ["due"], "nor do two agree: a third one has to look"
        strangers.checker("three")
        strangers.check(draws)
    assert strangers.states() == ["undecided"]
    assert strangers.world.slave_state(strangers.checked) != "retired"


def test_only_an_admins_slaves_and_proven_ones_check_and_none_of_the_same_owner(strangers: Strangers) -> None:
    strangers.checker("accomplice", owner=strangers.eve)
    strangers.checker("unproven", owner=strangers.world.user("carl"))
    strangers.rendered("1-2")
    strangers.check({}, pixels="right")
    assert strangers.states() == ["due"] * 2
    proven = strangers.checkers[1]
    rows = [{"attempt": -n, "slave": proven.id, "job": 1, "frame": n, "at": 0, "state": "passed"} for n in range(1, 11)]
    strangers.write(lambda c: c.execute(insert(spot_checks), rows))
    strangers.check({"unproven": "right"}, pixels="right")
    assert strangers.states() == ["passed"] * 12


@pytest.mark.parametrize("terms", [{"accept": "mine"}, {"accept": "friends"}, {"methods": ["povray"]}])
def test_who_would_not_take_a_check_by_its_owners_terms_is_not_named(
    strangers: Strangers, terms: dict[str, object]
) -> None:
    for name in ("kept", "lent"):
        strangers.checker(name)
    lend(strangers, strangers.checkers[0], **terms)
    strangers.rendered("1")
    assert begun(strangers) == ["lent"]


def test_a_check_goes_to_others_when_those_that_it_names_are_lent_otherwise_or_gone(strangers: Strangers) -> None:
    strangers.checker("one")
    strangers.rendered("1")
    assert begun(strangers) == ["one"]
    lend(strangers, strangers.checkers[0], accept="mine")
    assert begun(strangers) == []
    assert strangers.states() == ["due"]
    strangers.checker("two")
    assert begun(strangers) == ["two"]
    strangers.world.steer("log_out", strangers.checkers[1])
    lend(strangers, strangers.checkers[0])
    assert begun(strangers) == ["one"]
    (frame,) = frames_of(strangers.world.report(strangers.checkers[0], want=1))
    lend(strangers, strangers.checkers[0], accept="mine")
    assert begun(strangers) == ["one"], "what is being rendered is not taken away"
    strangers.world.report(strangers.checkers[0], done=[frame.attempt])
    (ended,) = strangers.world.database.read_now(spotchecks._ended)
    strangers.write(lambda c: spotchecks.settle(c, ended, Picture("right"), Picture("right"), strangers.world.at))
    assert strangers.states() == ["passed"]


@pytest.mark.parametrize("named", [True, False])
def test_a_check_that_nobody_does_ends_after_a_week_and_says_so(strangers: Strangers, named: bool) -> None:
    if named:
        strangers.checker("busy")
    strangers.rendered("1")
    assert begun(strangers) == ["busy"] * named
    strangers.world.pass_time(8 * 86400)
    begun(strangers)
    assert strangers.states() == ["undecided"]
    query = select(spot_checks.c.said, spot_checks.c.picture)
    (row,) = strangers.world.database.read_now(lambda c: c.execute(query).all())
    assert tuple(row) == ("For 7 days, no slave could check it.", None)
    works = select(jobs.c.state).join(users, users.c.id == jobs.c.owner).where(users.c.name == "(farm)")
    left = strangers.world.database.read_now(lambda c: c.execute(works).scalars().all())
    assert left == ["deleted"] * named


def test_checks_that_nobody_can_do_keep_no_others_waiting(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spotchecks, "AT_ONCE", 2)
    strangers.world.log_in(strangers.checked, offer=CARDS, contained=True, devices=["CPU x"])
    needs = Requirement(method="blender", version="4.5", engine="CYCLES", device="gpu")
    strangers.rendered("1-3", requires=needs.model_dump_json())
    strangers.world.log_in(strangers.checked, contained=True, devices=["CPU x"])
    strangers.checker("plain")
    strangers.rendered("1")
    assert [begun(strangers) for _ in range(3)][-1] == ["plain"]


@pytest.mark.parametrize("lot", ["beauty.png", "depth.png"])
def test_of_a_frame_of_several_pictures_any_is_compared_by_lot_and_none_in_tiles(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch, lot: str
) -> None:
    offered: list[list[str]] = []
    monkeypatch.setattr(spotchecks.secrets, "choice", lambda names: offered.append(names) or lot)
    strangers.checker("admins")
    job = strangers.rendered("1")

    def files(job: int) -> None:
        query = select(result_files).where(result_files.c.job == job, result_files.c.role == "output")
        (row,) = strangers.world.database.read_now(lambda c: c.execute(query).all())
        names = {"beauty.png": bytes([1]) * 32, "depth.png": bytes([2]) * 32, "scene.json": bytes([3]) * 32}
        strangers.write(lambda c: c.execute(delete(result_files).where(result_files.c.job == job)))
        rows = [{**row._mapping, "name": name, "hash": hashed} for name, hashed in names.items()]
        strangers.write(lambda c: c.execute(insert(result_files), rows))

    files(job)
    assert begun(strangers) == ["admins"]
    assert offered == [["beauty.png", "depth.png"]]
    check = strangers.world.database.read_now(lambda c: c.execute(select(spot_checks)).one())
    picture = bytes([1 if lot == "beauty.png" else 2]) * 32
    assert (check.name, check.picture, check.tile) == (lot, picture, "")
    strangers.world.render(strangers.checkers[0])
    files(check.work)
    (ended,) = strangers.world.database.read_now(spotchecks._ended)
    assert ended.picture == picture, "the one of the same name"
    strangers.write(lambda c: spotchecks.settle(c, ended, Picture("x"), Picture("x"), strangers.world.at))
    assert strangers.states() == ["passed"]


def test_what_a_newer_version_knows_of_who_drew_is_left_alone(strangers: Strangers) -> None:
    strangers.checker("one")
    strangers.rendered("1")
    strangers.check({"one": "right"})
    drawn = json.dumps([{"slave": strangers.checkers[0].id, "pixels": "right", "like": True, "mood": "new"}])
    strangers.write(lambda c: c.execute(update(spot_checks).values(drawn=drawn)))
    strangers.checker("two")
    strangers.check({"two": "right"})
    assert strangers.states() == ["false"]


@pytest.mark.parametrize("whole", [True, False])
def test_what_can_not_be_cut_into_tiles_is_compared_as_a_whole_and_so_is_what_comes_after_it(
    strangers: Strangers, whole: bool
) -> None:
    strangers.checker("admins")
    strangers.rendered("1-2")
    named = {"name": "shot.exr"}
    strangers.world.database.write_now(lambda c: c.execute(update(result_files).values(named)) and None)
    tiles: list[str] = []
    for _ in range(6):
        begun(strangers)
        for agent in strangers.checkers:
            strangers.world.render(agent)
        for one in strangers.world.database.read_now(spotchecks._ended):
            tiles.append(one.check.tile)
            pixels = "" if whole and one.check.tile else "right"
            both = Picture(pixels), Picture("right")
            strangers.write(lambda c, o=one, b=both: spotchecks.settle(c, o, *b, strangers.world.at))
    assert strangers.states() == ["passed"] * 2
    assert [bool(tile) for tile in tiles] == ([True, True, False, False] if whole else [True, True])


def test_nothing_is_checked_in_ones_own_jobs_or_in_a_studio(strangers: Strangers) -> None:
    strangers.rendered("1-2", owner=strangers.eve)
    strangers.world.policy = Policy()
    strangers.rendered("1-2")
    assert strangers.states() == []


def test_a_job_that_is_deleted_before_leaves_nothing_to_check(strangers: Strangers) -> None:
    strangers.checker("one")
    job = strangers.rendered("1")
    strangers.world.act("delete", job)
    strangers.check({"one": "right"})
    assert strangers.states() == ["undecided"]


def test_a_job_without_its_files_is_neither_checked_nor_rendered_again(strangers: Strangers) -> None:
    for name in ("one", "two"):
        strangers.checker(name)
    gone = strangers.rendered("1-2")
    away = update(jobs).where(jobs.c.number == gone).values(let_go=strangers.world.at)
    strangers.write(lambda c: c.execute(away))
    strangers.check(dict.fromkeys(("one", "two"), "right"))
    assert set(strangers.states()) == {"undecided"}
    strangers.rendered("1-3")
    strangers.check(dict.fromkeys(("one", "two"), "right"))
    strangers.convict()
    assert (strangers.world.state(gone), strangers.world.counts(gone)) == ("done", {"done": 2})
