from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Executable, delete, update

from farm.database.handle import Database
from farm.database.schema import events, frames, job_files, jobs, sequences, tallies
from farm.protocol.jobs import Submission
from tests.cli.conftest import Run
from tests.serving import serving


def test_a_sound_database_has_no_contradictions_also_while_its_server_runs(run: Run, tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        result = run("audit", "--data", tmp_path / "data")
    assert (result.exit_code, result.stdout) == (0, "No contradictions.\n")


def test_a_contradiction_is_named(run: Run, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        wish = {"requires": {"method": "sleep"}, "frames": "1-3", "name": "shot"}
        job = served.admin().submit(Submission.model_validate(wish)).job
    database = Database.open(f"sqlite:///{tmp_path / 'data' / 'distren.sqlite3'}")
    wrong = update(frames).where(frames.c.number == 2).values(state="done")
    database.write_now(lambda conn: conn.execute(wrong) and None)
    database.close()
    result = run("audit", "--data", tmp_path / "data", "--json")
    assert result.exit_code == 1
    assert f"Frame 2 of job {job} is done, with result None." in json.loads(result.stdout)["contradictions"]


def test_where_there_is_no_database_it_says_so(run: Run, tmp_path: Path) -> None:
    result = run("audit", "--data", tmp_path / "nowhere")
    assert result.exit_code == 8
    assert "distren.sqlite3 can't be used" in result.stderr


def test_stored_files_are_compared_with_the_disk_and_their_bytes_if_asked(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as served:
        ada, scene = served.admin(), tmp_path / "scene"
        scene.write_bytes(b"a scene")
        name = hashlib.sha256(b"a scene").hexdigest()
        file = {"path": "shot.bin", "sha256": name, "size": 7}
        wish = {"requires": {"method": "sleep"}, "frames": "1", "name": "shot", "files": [file]}
        job = ada.submit(Submission.model_validate(wish)).job
        ada.put_blob(scene, name, 7)
        ada.queue(job)
    blob = data / "storage" / "blobs" / name[:2] / name
    blob.chmod(0o644)
    blob.write_bytes(b"another")
    assert run("audit", "--data", data).exit_code == 0, "sizes are right"
    deep = run("audit", "--data", data, "--deep", "--json")
    assert json.loads(deep.stdout)["contradictions"] == [
        f"Blob {name[:12]}… has other bytes in the storage than were sent."
    ]
    blob.write_bytes(b"short")
    assert "has 5 bytes in the storage, but should have 7" in run("audit", "--data", data).stdout
    blob.unlink()
    assert f"Blob {name[:12]}… is not in the storage." in run("audit", "--data", data).stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (delete(frames).where(frames.c.number == 2), "Job 1 has 2 frames, but should have 3."),
        (delete(frames).where(frames.c.number == 2), "Job 1 has 2 ready frames, but counts 3."),
        (update(tallies).values(ready=5), "Job 1 has 3 ready frames, but counts 5."),
        (update(frames).values(lease=1), "Frame 1 of job 1 is ready, but has a lease."),
        (update(frames).values(state="odd"), "Frame 1 of job 1 has the unknown state “odd”."),
        (delete(tallies), "Job 1 has 3 ready frames, but counts 0."),
        (update(jobs).values(state="done", ended=1), "Job 1 is done, but has frames left."),
        (update(jobs).values(state="rendering"), "Job 1 is rendering, but never started."),
        (update(jobs).values(state="canceled"), "Job 1 is canceled, but not since when."),
        (delete(events).where(events.c.seq == 2), " are only "),
        (
            update(sequences).where(sequences.c.name == "job").values(next=1),
            "The next job would be 1, but 1 is in use.",
        ),
        (delete(job_files), ""),
    ],
)
def test_each_contradiction_has_its_sentence(run: Run, small: Path, wrong: Executable, said: str) -> None:
    database = Database.open(f"sqlite:///{small / 'distren.sqlite3'}")
    database.write_now(lambda conn: conn.execute(wrong) and None)
    database.close()
    result = run("audit", "--data", small, "--json")
    found = json.loads(result.stdout)["contradictions"]
    assert any(said in sentence for sentence in found) if said else not found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server with a job of three frames."""
    data = tmp_path_factory.mktemp("audit") / "data"
    with serving(data) as served:
        ada = served.admin()
        wish = {"requires": {"method": "sleep"}, "frames": "1-3", "name": "shot"}
        job = ada.submit(Submission.model_validate(wish)).job
        ada.queue(job)
        ada.command(job, "pause")
        ada.command(job, "resume")
    return data


@pytest.fixture
def small(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "data"))
