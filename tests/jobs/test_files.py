from __future__ import annotations

import asyncio
from functools import partial

import pytest
from sqlalchemy import insert, select, update

from farm.database import schema
from farm.jobs import files
from farm.jobs.checking import check
from farm.jobs.submission import submit
from farm.protocol.jobs import CheckReport, Requirement
from farm.protocol.slaves import Hardware, Renderer
from farm.scheduler import bulk
from farm.words.errors import Conflict, FileNotHere, FilesMissing, Forbidden, JobNotFound, QuotaExceeded
from farm.words.states import JobState, SlaveState
from tests.jobs.pretend import METHODS, NOW, Farm, entry, sha, submission

SCENE, TEXTURE = b"a scene", b"a texture"
FILES = {"shot.blend": SCENE, "tex/wood.png": TEXTURE, "tex/copy.png": TEXTURE}


def test_a_job_goes_from_submission_to_queued(farm: Farm) -> None:
    ada = farm.user("ada")
    made = farm.submit(ada, submission(FILES, frames="1-250x2,300"))
    assert (made.job, made.address) == (1, "distren://home/1")
    assert made.missing == [sha(SCENE), sha(TEXTURE)]
    assert farm.row(schema.jobs).state == JobState.RECEIVING
    assert farm.count(schema.frames) == 126
    for data in (SCENE, TEXTURE):
        farm.send(ada, data)
    farm.queue(ada, made.job)
    farm.queue(ada, made.job)
    assert farm.row(schema.jobs).state == JobState.QUEUED


def test_a_job_without_all_its_files_is_not_queued(farm: Farm) -> None:
    ada = farm.user("ada")
    made = farm.submit(ada, submission(FILES))
    farm.send(ada, SCENE)
    with pytest.raises(FilesMissing) as error:
        farm.queue(ada, made.job)
    assert error.value.facts["missing"] == [sha(TEXTURE)]
    assert farm.row(schema.jobs).state == JobState.RECEIVING


def test_the_same_project_again_lacks_only_what_changed(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.job(ada, FILES)
    made = farm.submit(ada, submission({**FILES, "shot.blend": b"a better scene"}))
    assert made.missing == [sha(b"a better scene")]


def test_nobody_learns_what_others_have_sent(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    farm.job(ada, FILES)
    made = farm.submit(bob, submission(FILES))
    assert made.missing == [sha(SCENE), sha(TEXTURE)]
    with pytest.raises(FilesMissing):
        farm.queue(bob, made.job)
    for data in (SCENE, TEXTURE):
        farm.send(bob, data)
    farm.queue(bob, made.job)
    assert farm.count(schema.blobs) == 2, "what both sent is kept once"


def test_only_the_owner_can_complete_a_job(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    stranger = farm.user("eve", studio=False)
    made = farm.submit(ada, submission(FILES))
    with pytest.raises(Forbidden, match="ada"):
        farm.queue(bob, made.job)
    with pytest.raises(JobNotFound):
        farm.queue(stranger, made.job)


def test_bytes_that_no_receiving_job_waits_for_are_refused(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    farm.submit(ada, submission(FILES))
    assert farm.database.read_now(lambda c: files.awaited(c, ada.user, sha(SCENE))).size == len(SCENE)
    for asker, data in ((bob, SCENE), (ada, b"unasked")):
        with pytest.raises(FileNotHere):
            farm.database.read_now(partial(files.awaited, user=asker.user, sha256=sha(data)))


def test_the_same_key_gives_the_same_job(farm: Farm) -> None:
    ada, bob = farm.user("ada"), farm.user("bob")
    first = farm.submit(ada, submission(FILES, key="k1"))
    farm.send(ada, SCENE)
    again = farm.submit(ada, submission(FILES, key="k1"))
    assert (again.job, again.missing) == (first.job, [sha(TEXTURE)])
    assert farm.submit(bob, submission(FILES, key="k1")).job != first.job
    assert farm.submit(ada, submission(FILES)).job != first.job
    with pytest.raises(Conflict, match="k1"):
        farm.submit(ada, submission(FILES, key="k1", frames="1-11"))


def test_many_at_once_with_one_key_make_one_job(farm: Farm) -> None:
    ada = farm.user("ada")
    wanted = submission(FILES, key="k", frames="1-25000")

    async def all_of_them() -> set[int]:
        one = partial(submit, farm.database, ada, wanted, METHODS, farm.rules, "home", NOW, farm.elsewhere)
        return {made.job for made in await asyncio.gather(*(one() for _ in range(6)))}

    assert len(asyncio.run(all_of_them())) == 1
    assert farm.count(schema.frames) == 25000
    assert farm.count(schema.job_files) == 3


def test_a_submission_that_broke_off_is_completed_by_the_next(farm: Farm) -> None:
    ada = farm.user("ada")
    made = farm.submit(ada, submission(FILES, key="k", frames="1-30"))

    def break_off(conn: object) -> None:
        for table in (schema.frames, schema.job_files, schema.tallies):
            conn.execute(table.delete())  # type: ignore[attr-defined]

    farm.database.write_now(break_off)
    with pytest.raises(Conflict, match="broke off"):
        farm.queue(ada, made.job)
    assert farm.submit(ada, submission(FILES, key="k", frames="1-30")).job == made.job
    for data in (SCENE, TEXTURE):
        farm.send(ada, data)
    farm.queue(ada, made.job)
    assert farm.count(schema.frames) == 30


def test_a_deleted_jobs_key_is_free_and_its_number_is_not(farm: Farm) -> None:
    ada = farm.user("ada")
    first = farm.submit(ada, submission(FILES, key="k")).job
    farm.database.write_now(lambda conn: bulk.delete(conn, first, NOW))
    assert farm.submit(ada, submission(FILES, key="k")).job == first + 1


def test_a_quota_counts_what_is_stored_and_what_is_promised(farm: Farm) -> None:
    ada = farm.user("ada", quota=100)
    farm.job(ada, {"shot.blend": b"x" * 40})
    farm.submit(ada, submission({"shot.blend": b"y" * 40}))
    with pytest.raises(QuotaExceeded, match="20 bytes more"):
        farm.submit(ada, submission({"shot.blend": b"z" * 40}))
    farm.submit(ada, submission({"shot.blend": b"x" * 40}))
    assert "quota" in report(farm, ada, submission({"shot.blend": b"z" * 40})).problems[0]


def test_two_submissions_at_once_cannot_outwit_the_quota(farm: Farm) -> None:
    ada = farm.user("ada", quota=100)

    async def both() -> list[object]:
        wanted = [submission({"shot.blend": c * 60}) for c in (b"a", b"b", b"c")]
        doing = (submit(farm.database, ada, one, METHODS, farm.rules, "home", NOW, farm.elsewhere) for one in wanted)
        return await asyncio.gather(*doing, return_exceptions=True)

    assert sum(isinstance(made, QuotaExceeded) for made in asyncio.run(both())) >= 2


def test_a_hundred_thousand_frames_and_a_large_manifest_go_in(farm: Farm) -> None:
    ada = farm.user("ada")
    cache = [entry(f"cache/{n:05}.vdb", b"%d" % n, frames=str(n)) for n in range(1, 5001)]
    wanted = submission(FILES, frames="1-100000", files=[*submission(FILES).files, *cache])
    made = farm.submit(ada, wanted)
    assert len(made.missing) == 5002
    total = farm.database.read_now(lambda c: c.execute(select(schema.tallies)).all())
    assert sum(row.ready for row in total) == 100_000
    farm.database.write_now(lambda conn: [files.received(conn, ada.user, f.sha256, f.size, NOW) for f in wanted.files])
    farm.queue(ada, made.job)
    ranks = farm.database.read_now(
        lambda c: c.execute(select(schema.frames.c.number).where(schema.frames.c.rank == 0)).scalars().all()
    )
    assert sorted(ranks) == [1, 50001, 100_000], "only the first, the middle and the last frame of the job are probes"


def report(farm: Farm, asker: object, wanted: object) -> CheckReport:
    doing = partial(check, asker=asker, submission=wanted, methods=METHODS, rules=farm.rules, server="home", there={})
    return farm.database.read_now(doing)  # type: ignore[arg-type]


def test_a_check_says_what_is_wrong_before_any_byte_travels(farm: Farm) -> None:
    ada = farm.user("ada")
    bad = report(farm, ada, submission(FILES, frames="9-1", settings={"samples": 0}, slaves=["ghost"]))
    assert any("frames: “9-1” runs backwards" in problem for problem in bad.problems)
    assert any("samples" in problem for problem in bad.problems)
    assert bad.frames == 0
    assert "slaves: there is no slave ghost." in bad.warnings
    good = report(farm, ada, submission(FILES))
    assert (good.problems, good.frames, good.missing_bytes) == ([], 10, len(SCENE) + len(TEXTURE))
    assert "No slave has logged in" in good.warnings[0]
    assert farm.count(schema.jobs) == 0


def test_a_check_counts_on_slaves_that_install_what_is_needed(farm: Farm) -> None:
    ada = farm.user("ada")
    slave = farm.slave("ws01", ada, '[{"method": "blender", "version": "3.4.1", "engines": ["CYCLES"]}]')
    installs = Hardware(cores=1, memory_bytes=1, installs=[Renderer(method="blender", version="5.0")])
    values = update(schema.slaves).where(schema.slaves.c.id == slave).values(hardware=installs.model_dump_json())
    farm.database.write_now(lambda conn: conn.execute(values) and None)
    found = report(farm, ada, submission(FILES, requires=Requirement(method="blender", version="5.0")))
    assert (found.fitting_slaves, found.problems) == (["ws01"], [])
    assert found.warnings == ["No slave has blender 5.0 yet. ws01: installs it as soon as nothing else renders there."]


def test_a_check_knows_which_slaves_fit(farm: Farm) -> None:
    ada = farm.user("ada")
    farm.slave("old", ada, '[{"method": "blender", "version": "3.4.1", "engines": ["CYCLES"]}]')
    farm.slave("new", ada, '[{"method": "blender", "version": "4.5.2", "engines": ["CYCLES"]}]')
    wants = Requirement(method="blender", version="4.5")
    found = report(farm, ada, submission(FILES, requires=wants))
    assert (found.fitting_slaves, found.problems, found.warnings) == (["new"], [], [])
    none = report(farm, ada, submission(FILES, requires=Requirement(method="blender", version="5.0")))
    assert none.fitting_slaves == []
    assert (
        none.problems
        == none.unfit
        == ["requires: no slave has blender 5.0; 1 has 3.4.1, 1 has 4.5.2: install 5.0, or wait."]
    )
    agreed = report(farm, ada, submission(FILES, requires=Requirement(method="blender", version="4.2", newer=True)))
    said = "No slave has blender 4.2: all frames will be rendered with 4.5.2."
    assert (agreed.fitting_slaves, agreed.warnings) == (["new"], [said])
    away = report(farm, ada, submission(FILES, requires=wants, not_slaves=["new"]))
    assert away.problems
    asleep = update(schema.slaves).values(state=SlaveState.OFFLINE)
    farm.database.write_now(lambda conn: conn.execute(asleep) and None)
    assert "offline" in report(farm, ada, submission(FILES, requires=wants)).warnings[0]


def test_an_insert_that_is_there_already_is_no_error(farm: Farm) -> None:
    ada = farm.user("ada")
    for _ in range(2):
        farm.send(ada, b"same")
    assert farm.count(schema.possessions) == 1
    values = {"hash": b"h" * 32, "size": 1, "created": NOW}
    farm.database.write_now(lambda conn: conn.execute(insert(schema.blobs).values(values)) and None)
    farm.database.write_now(lambda conn: files.keep_blob(conn, b"h" * 32, 1, NOW))
    assert farm.count(schema.blobs) == 2
