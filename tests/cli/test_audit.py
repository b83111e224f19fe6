from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import update

from farm.database.handle import Database
from farm.database.schema import frames
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
