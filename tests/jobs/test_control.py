from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import update

from farm.database import eventlog, schema
from farm.jobs import control
from farm.jobs.change import change
from farm.jobs.jobviews import job_view
from farm.jobs.pace import done_lately
from farm.protocol.jobs import JobChange, JobCommand, Limits
from farm.words.clock import SECOND
from farm.words.errors import BadFrameRange, BadSetting, JobNotFound, NeedsConfirmation, NotFound, WrongState
from farm.words.states import JobState
from tests.jobs.pretend import NOW, Farm

SURE = JobCommand(confirmed=True)


def said(farm: Farm, asker: object, verb: str, order: JobCommand = JobCommand()) -> None:  # noqa: B008
    doing = partial(control.command, asker=asker, job=1, verb=verb, order=order, at=NOW)
    farm.database.write_now(doing)  # type: ignore[arg-type]


def changed(farm: Farm, asker: object, **wanted: object) -> None:
    doing = partial(change, asker=asker, job=1, wanted=JobChange.model_validate(wanted), rules=farm.rules, at=NOW)
    farm.database.write_now(doing)  # type: ignore[arg-type]


def test_who_changes_anothers_job_is_written_down(farm: Farm) -> None:
    ada, bob, root = farm.user("ada"), farm.user("bob"), farm.user("root", role="admin")
    farm.job(ada)
    said(farm, ada, "pause")
    assert farm.count(schema.deeds) == 0, "one's own job is one's own business"
    with pytest.raises(NeedsConfirmation, match="Job 1 “shot” is ada's"):
        said(farm, bob, "resume")
    said(farm, bob, "resume", SURE)
    deed = farm.row(schema.deeds)
    assert (deed.user, deed.verb, deed.job, deed.at) == (bob.user, "resume", 1, NOW)
    changed(farm, root, priority=99)
    assert farm.row(schema.deeds, schema.deeds.c.user == root.user).detail == '{"priority":99}'


def test_a_refused_command_leaves_no_deed(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    farm.job(ada)
    said(farm, ada, "cancel")
    with pytest.raises(WrongState):
        said(farm, bob, "pause", SURE)
    assert farm.count(schema.deeds) == 0


def test_strangers_get_the_same_answer_as_for_a_job_that_never_was(farm: Farm) -> None:
    ada, eve = farm.user("ada"), farm.user("eve", studio=False)
    farm.job(ada)
    with pytest.raises(JobNotFound) as hidden:
        said(farm, eve, "cancel", SURE)
    assert hidden.value.message == "There is no job 1."
    with pytest.raises(NotFound):
        said(farm, ada, "explode")


def test_changes_that_make_no_sense_change_nothing(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.slave("ws1", ada)
    farm.job(ada, slaves=["ws1"])
    for error, wanted in (
        (BadSetting, {"name": " "}),
        (BadSetting, {"remove_slaves": ["ws1"]}),
        (BadSetting, {"remove_slaves": ["ws1"], "add_slaves": ["ws1"]}),
        (NotFound, {"add_slaves": ["ws2"]}),
        (BadFrameRange, {"add_frames": "2-1"}),
        (BadFrameRange, {"add_frames": "11-1000000,1000001-1000010"}),
    ):
        with pytest.raises(error):
            changed(farm, ada, priority=1, **wanted)
    row = farm.row(schema.jobs)
    assert (row.priority, row.slaves, row.frames) == (50, '["ws1"]', "1-10")


def test_limits_are_changed_for_the_frames_to_come_and_lifted_again(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.job(ada)
    revision = farm.row(schema.jobs).revision
    changed(farm, ada, render_seconds=7200, silence_seconds=60)
    changed(farm, ada, silence_seconds=0)
    row = farm.row(schema.jobs)
    assert Limits.model_validate_json(row.limits) == Limits(render_seconds=7200, silence_seconds=None)
    assert row.revision == revision + 2, "slaves read the sheet anew"


def test_speed_is_counted_over_the_last_minute(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.job(ada)
    for at, numbers in ((NOW - 90 * SECOND, [1, 2]), (NOW - 50 * SECOND, [3, 4, 5]), (NOW, [6])):
        farm.database.write_now(
            lambda conn, at=at, numbers=numbers: eventlog.note_frames(conn, 1, "done", numbers, at=at)
        )
    assert farm.database.read_now(lambda conn: done_lately(conn, [1], NOW)) == {1: 4}
    begun = update(schema.jobs).values(started=NOW - 50 * SECOND, state=JobState.RENDERING)
    farm.database.write_now(lambda conn: conn.execute(begun) and None)
    view = farm.database.read_now(partial(job_view, asker=ada, job=1, server="home", at=NOW))
    assert view.frames_per_second == pytest.approx(4 / 50)
    assert view.eta_seconds == pytest.approx(10 / (4 / 50))
