"""Checks of what strangers' slaves return, from the lot to the verdict: pretended slaves, real databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from farm.accounts import ledger, lending
from farm.database.handle import Database
from farm.database.schema import jobs, notices, postings, result_files, spot_checks, subscriptions, users
from farm.jobs import checkers, convictions, spotchecks
from farm.protocol.jobs import Requirement
from farm.protocol.slaves import Offer
from farm.protocol.terms import Terms
from farm.scheduler import escrow
from farm.scheduler.checkrules import DAMAGED, FIRST, LEAST, CheckState, Drawn, Picture, chance, comparable, ruling, tie
from farm.scheduler.policy import Policy
from farm.words.states import PauseReason
from tests.scheduler.world import Agent, World, frames_of

DENOISES = Offer(method="blender", version="4.5.2", engines=["CYCLES", "CYCLES+OIDN"])
CARDS = Offer(method="blender", version="4.5.2", engines=["CYCLES"], devices=["CUDA A"])


class Strangers:
    """Anna's jobs, eve's slave that is checked, and slaves of an admin's and of others."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, Policy(strangers=True))
        self.admin = self.world.user("root")
        self.eve = self.world.user("eve")
        database.write_now(lambda c: c.execute(update(users).where(users.c.id == self.admin).values(role="admin")))
        self.checked = self.slave("evil", self.eve)
        self.checkers: list[Agent] = []

    def slave(self, name: str, owner: int, card: str = "CPU x") -> Agent:
        return self.world.slave(name, contained=True, owner=owner, devices=[card])

    def checker(self, name: str, owner: int | None = None, card: str = "CPU x") -> Agent:
        agent = self.world.slave(name, contained=True, owner=owner or self.admin)
        self.world.log_in(agent, contained=True, devices=[card])
        self.checkers.append(agent)
        return agent

    def rendered(self, text: str, **values: Any) -> int:
        """Let anna have a job, and eve's slave render it."""
        job = self.world.job(text, **values)
        self.world.pass_time(1)
        while got := frames_of(self.world.report(self.checked, want=1)):
            self.world.pass_time(1)
            self.world.report(self.checked, done=[f.attempt for f in got], cpu=1, seconds=1)
        return job

    def check(self, draws: dict[str, str], pixels: str = "false") -> None:
        """Go on with checks, with what each slave draws, until nothing is left to do."""
        for _ in range(40):
            self.write(lambda c: spotchecks.begin(c, self.world.at))
            for agent in self.checkers:
                self.world.render(agent)
            ended = self.world.database.read_now(spotchecks._ended)
            for one in ended:
                name = next((a.name for a in self.checkers if a.id == one.slave), "")
                both = Picture(pixels), Picture(draws.get(name, ""))
                self.write(lambda c, o=one, b=both: spotchecks.settle(c, o, *b, self.world.at))
            if not ended:
                return

    def convict(self) -> None:
        while self.world.database.read_now(convictions.due):
            self.write(lambda c: convictions.go_on(c, self.world.at))

    def write(self, act: Any) -> None:
        self.world.database.write_now(lambda c: act(c) and None)

    def states(self) -> list[str]:
        query = select(spot_checks.c.state).order_by(spot_checks.c.attempt)
        return list(self.world.database.read_now(lambda c: c.execute(query).scalars().all()))

    def milli(self) -> int:
        return self.world.database.read_now(lambda c: ledger.stored(c, self.eve)).milli


@pytest.fixture
def strangers(database: Database) -> Iterator[Strangers]:
    made = Strangers(database)
    made.world.log_in(made.checked, contained=True, devices=["CPU x"])
    yield made
    assert made.world.faults() == []


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_all_of_the_first_ten_are_checked_and_never_less_than_one_in_fifty(checked: int, rendered: int) -> None:
    odds = chance(checked, rendered)
    assert odds == 1 if checked < FIRST else odds == max(LEAST, 1 / max(rendered, 1))


drawings = st.lists(st.builds(Drawn, st.integers(1, 9), st.sampled_from("abc"), st.booleans()), max_size=2)
BRIGHT, BRIGHTISH, BLACK = ((bytes([value] * 48)).hex() for value in (200, 180, 0))


@given(drawings)
def test_nobody_is_convicted_but_by_two_of_its_class_that_agree(drawn: list[Drawn]) -> None:
    state = ruling(Picture("a"), drawn)
    against = [one for one in drawn if one.pixels != "a"]
    agree = len(against) == 2 and len({one.pixels for one in against}) == 1 and all(one.like for one in drawn)
    assert (state is CheckState.FALSE) is agree
    if drawn and drawn[0].pixels == "a":
        assert state is CheckState.PASSED


@pytest.mark.parametrize(("checked", "others", "state"), [
    (BLACK, (BRIGHT, BRIGHTISH), CheckState.FALSE),
    (BLACK, (BRIGHT, BLACK), CheckState.UNDECIDED),
    (BRIGHT, (BRIGHTISH, BRIGHTISH), CheckState.UNDECIDED),
    (BLACK, (BRIGHT, ""), CheckState.UNDECIDED),
    ("", (BRIGHT, BRIGHT), CheckState.UNDECIDED),
])  # fmt: skip
def test_on_machines_of_another_kind_only_quite_another_picture_convicts(
    checked: str, others: tuple[str, str], state: CheckState
) -> None:
    drawn = [Drawn(number, f"{number}", like=False, sketch=sketch) for number, sketch in enumerate(others)]
    assert ruling(Picture("a", checked), drawn) is state
    assert (tie(Picture("a", checked), drawn) != "") or state is CheckState.FALSE


def test_what_nobody_can_decode_is_not_taken_for_equal() -> None:
    assert not comparable(Picture(DAMAGED), Picture(DAMAGED))
    assert not comparable(Picture(""), Picture("a"))
    assert ruling(Picture(DAMAGED), [Drawn(1, "a", like=True), Drawn(2, "a", like=True)]) is CheckState.FALSE


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
    ({"one": "right", "two": "false"}, "CPU x"),
    ({"one": "this", "two": "that"}, "CPU x"),
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


def lend(strangers: Strangers, agent: Agent, **terms: object) -> None:
    strangers.write(lambda c: lending.say(c, agent.id, Terms.model_validate(terms), strangers.world.at))


def begun(strangers: Strangers) -> list[str]:
    """Go on with checks; return the slaves that the one that is rendered names."""
    strangers.write(lambda c: spotchecks.withdraw(c, strangers.world.at))
    strangers.write(lambda c: spotchecks.begin(c, strangers.world.at))
    query = select(jobs.c.slaves).join(spot_checks, spot_checks.c.work == jobs.c.number)
    texts = strangers.world.database.read_now(lambda c: c.execute(query).scalars().all())
    return sorted(name for text in texts for name in json.loads(text))


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


@pytest.mark.parametrize("other", [
    {"devices": ["CPU y"]}, {"system": "Windows 11 AMD64"}, {"offer": DENOISES},
])  # fmt: skip
def test_processors_systems_and_builds_of_renderers_are_classes_of_their_own(
    strangers: Strangers, other: dict[str, Any]
) -> None:
    plain = {"devices": ["CPU x"], "system": "Linux 6.1 x86_64"}
    needs = Requirement(method="blender", version="4.5", engine="CYCLES")
    strangers.checker("one")
    one = strangers.checkers[0]

    def alike(**machine: Any) -> bool:
        strangers.world.log_in(one, contained=True, **{**plain, **machine})
        ask = partial(checkers.alike, one=one.id, other=strangers.checked.id, requires=needs)
        return strangers.world.database.read_now(ask)

    strangers.world.log_in(strangers.checked, contained=True, **plain)
    assert alike(system="Linux 6.12 x86_64")
    assert not alike(**other)


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
