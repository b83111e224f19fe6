"""What `distren doctor --repair` puts right in a stopped server's data, and what it leaves alone."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, select, update

from farm.database import engine, snapshots
from farm.database.handle import Database
from farm.database.schema import attempts, balances, frames, sequences, tallies
from farm.protocol.jobs import Submission
from farm.server.backup import backup
from farm.server.backupfolder import BackupFolder
from farm.server.repair import Repair, repair
from farm.server.stopped import stopped
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings
from farm.words.states import JobState
from tests.jobs.pretend import tar_of
from tests.serving import PASSPHRASE, Served, serving

SCENE, PICTURE = b"a scene", b"a picture"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def submission(name: str = "shot") -> Submission:
    file = {"path": "shot.bin", "sha256": sha(SCENE), "size": len(SCENE)}
    wish = {"requires": {"method": "sleep"}, "frames": "1-3", "name": name, "files": [file]}
    return Submission.model_validate(wish)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server with a job: frame 1 is done, 2 and 3 are not."""
    data = tmp_path_factory.mktemp("repair") / "data"
    with serving(data) as served:
        ada, scene = served.admin(), data / "scene"
        scene.write_bytes(SCENE)
        job = ada.submit(submission()).job
        ada.put_blob(scene, sha(SCENE), len(SCENE))
        ada.queue(job)
        slave = served.slave(ada)
        attempt = slave.orders(want=1).leases[0].frames[0].attempt
        tar = tar_of(output_a_png=PICTURE, thumbnail=b"thumb", log=b"log")
        assert slave.http.put(f"/api/slave/results/{attempt}", content=tar).status_code == 200
        slave.orders(finished=[{"attempt": attempt, "sha256": sha(tar), "seconds": 1}])
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def mend(data: Path, *, act: bool = True, **more: Any) -> Repair:
    return repair(ServerSettings(data=data), act=act, **{"deep": False, **more})


def spoil(data: Path, *wrong: Executable) -> None:
    database = Database.open(ServerSettings(data=data).database_url)
    for statement in wrong:
        database.write_now(lambda conn, s=statement: conn.execute(s) and None)  # type: ignore[misc]
    database.close()


def blob(data: Path, content: bytes) -> Path:
    return data / "storage" / "blobs" / sha(content)[:2] / sha(content)


def rows(data: Path, table: Any) -> list[Any]:
    reading = engine.reading(ServerSettings(data=data).database_url)
    with reading.connect() as conn:
        found = [tuple(row) for row in conn.execute(select(table))]
    reading.dispose()
    return found


def test_a_sound_server_is_left_alone(data: Path) -> None:
    assert mend(data, deep=True) == Repair()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([update(tallies).values(ready=7)], "Job 1 counts 2 ready frames now, as it has, not 7."),
        ([update(sequences).where(sequences.c.name == "attempt").values(next=1)], "The next attempt will be"),
        (
            [
                insert(balances).values(account=1, writer=99, milli=-5000, earned=0),
            ],
            "Account 1 is corrected by 5.000 points",
        ),
        (
            [
                update(frames).where(frames.c.number == 2).values(state="leased", lease=9),
                update(tallies).values(ready=tallies.c.ready - 1, leased=tallies.c.leased + 1),
            ],
            "1 frames of job 1 that nobody had",
        ),
        (
            [
                update(frames).where(frames.c.number > 1).values(state="canceled"),
                delete(attempts).where(attempts.c.frame > 1),
            ],
            "Job 1 has ended: nothing of it was left to do.",
        ),
    ],
    ids=["counts", "numbers", "points", "nobody's", "ended"],
)
def test_what_can_only_be_wrong_in_one_way_is_put_right(data: Path, wrong: list[Executable], said: str) -> None:
    spoil(data, *wrong)
    before = rows(data, tallies), rows(data, frames), rows(data, balances)
    assert any(said in sentence for sentence in mend(data, act=False).done)
    assert (rows(data, tallies), rows(data, frames), rows(data, balances)) == before, "it was a rehearsal"
    found = mend(data)
    assert any(said in sentence for sentence in found.done)
    assert found.left == []
    assert mend(data) == Repair()


def test_what_it_can_not_be_sure_of_is_told_and_left(data: Path) -> None:
    spoil(data, update(frames).where(frames.c.number == 1).values(state="failed"))
    found = mend(data)
    assert any("Frame 1 of job 1 is failed, with result" in sentence for sentence in found.left)


def test_files_come_back_from_a_backup_also_damaged_ones(data: Path, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "backups")
    backup(ServerSettings(data=data), folder)
    blob(data, SCENE).unlink()
    blob(data, PICTURE).chmod(0o644)
    blob(data, PICTURE).write_bytes(b"A picture")
    found = mend(data, deep=True, backup=folder)
    assert sum("The backup has it: copied back." in sentence for sentence in found.done) == 2
    assert found.left == []
    assert (blob(data, SCENE).read_bytes(), blob(data, PICTURE).read_bytes()) == (SCENE, PICTURE)
    (aside,) = (data / "storage" / "blobs" / "spoilt").iterdir()
    assert aside.read_bytes() == b"A picture"


def test_a_lost_picture_is_rendered_again_and_a_lost_scene_comes_with_its_next_submission(data: Path) -> None:
    for content in (SCENE, PICTURE, b"thumb"):
        blob(data, content).unlink()
    found = mend(data)
    assert "Pictures of frames 1 of job 1 are lost; they are rendered again." in found.done
    assert any("shot.bin of job 1 is lost" in sentence and "paused" in sentence for sentence in found.done)
    assert [sentence for sentence in found.left if "shot.bin" not in sentence] == []
    with serving(data) as served:
        ada = _again(served)
        job = ada.job(1)
        assert (job.state, job.counts.ready, job.counts.done) == (JobState.PAUSED, 3, 0)
        assert "shot.bin is lost" in job.message
        again = ada.submit(submission("again"))
        assert again.missing == [sha(SCENE)]
        ada.put_blob(data / "scene", sha(SCENE), len(SCENE))
        ada.command(1, "resume")
    assert mend(data) == Repair()


def _again(served: Served) -> Any:
    granted = served.http.post("/api/accounts/login", json={"name": "ada", "passphrase": PASSPHRASE}).json()
    return served.client(granted["token"])


def test_bytes_that_nothing_knows_go_and_those_that_just_came_stay(data: Path) -> None:
    for content, age in ((b"old", 10_000), (b"young", 0)):
        blob(data, content).write_bytes(content)
        made = blob(data, content).stat().st_mtime - age
        os.utime(blob(data, content), (made, made))
    assert "2 files that nothing knows" in mend(data, act=False).done[0]
    assert blob(data, b"old").exists()
    mend(data)
    assert (blob(data, b"old").exists(), blob(data, b"young").exists()) == (False, True)


def test_a_server_that_runs_is_not_repaired(data: Path) -> None:
    with serving(data), pytest.raises(NotASetup, match="uses"):
        mend(data)


@pytest.mark.mariadb
def test_on_mariadb_another_machines_server_is_noticed_too(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with request.getfixturevalue("mariadb").fresh() as url:
        with serving(tmp_path / "data", database=url):
            settings = ServerSettings(data=tmp_path / "elsewhere", database=url)
            with pytest.raises(NotASetup, match="works on this database"), stopped(settings):
                pass
        with stopped(settings):  # it said that it left
            pass


def test_a_database_of_another_version_is_refused(data: Path) -> None:
    one = engine.alone(snapshots.url_of(data / "distren.sqlite3"))
    with one.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    one.dispose()
    with pytest.raises(NotASetup, match="revision 0001"):
        mend(data)
