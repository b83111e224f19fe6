"""What an admin sees of a frame in doubt, over the API, on the dashboard, and by the command, and says of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sqlalchemy import Connection, insert, select
from typer.testing import CliRunner

from farm.cli.main import app
from farm.client.doubtcalls import DoubtCalls
from farm.client.farmclient import FarmClient
from farm.database.handle import Database
from farm.database.schema import attempts, result_files, spot_checks
from farm.simulator.pictures import packed
from farm.words.errors import NotFound
from tests.api.browsing import text
from tests.api.test_next import leased, submit
from tests.serving import Served

BUILD = "sleep 1.0 its own"


@dataclass
class Doubt:
    """Two frames of a slave of eve's: others drew the first one as it drew the second."""

    attempt: int
    job: int
    client: FarmClient

    @property
    def token(self) -> str:
        return str(self.client._http.headers["Authorization"]).removeprefix("Bearer ")


@pytest.fixture
def doubt(served: Served, admin: FarmClient) -> Doubt:
    eve = served.invited(admin, "eve")
    slave, job = served.slave(eve, "eves"), submit(admin, "1-2")
    for colour in (11, 5_000_000):
        frame = leased(slave)
        result = packed(frame.picture, frame.attempt, colour=colour)
        end = {"attempt": frame.attempt, "sha256": result.sha256, "inline": result.inline, "seconds": 1}
        slave.orders(finished=[{**end, "cpu_seconds": 1}])

    def note(conn: Connection) -> int:
        files = conn.execute(select(result_files).where(result_files.c.role == "output").order_by("attempt")).all()
        checked = conn.execute(select(attempts).where(attempts.c.id == files[0].attempt)).one()
        row = {"attempt": checked.id, "slave": checked.slave, "job": job, "frame": checked.frame, "at": checked.issued}
        row |= {"state": "doubted", "picture": files[0].hash, "other": files[1].hash, "build": BUILD, "tile": "4x4/5"}
        conn.execute(insert(spot_checks).values({**row, "name": "x", "drawn": "[]", "said": ""}))
        return int(checked.id)

    database = Database.open(f"sqlite:///{served.process.settings.data / 'distren.sqlite3'}")
    attempt = database.write_now(note)
    database.close()
    return Doubt(attempt, job, admin)


def test_both_pictures_are_shown_and_the_page_links_them(served: Served, doubt: Doubt, browser: httpx.Client) -> None:
    (found,) = DoubtCalls(doubt.client).doubts()
    assert (found.slave, found.owner, found.build) == ("eves", "eve", BUILD)
    pictures = []
    for path in (found.picture, found.other):
        answer = browser.get(path)
        assert answer.headers["content-type"] == "image/webp", answer.text
        with Image.open(io.BytesIO(answer.content)) as image:
            pictures.append((image.size, image.convert("RGB").tobytes()))
    assert pictures[0][0] == pictures[1][0]
    assert pictures[0][1] != pictures[1][1]
    page = browser.get("/slaves/eves")
    assert found.picture in page.text
    assert found.other in page.text
    assert "1 frame in doubt" in text(page)
    assert BUILD in text(page)


def test_an_admin_trusts_the_build_on_the_page_and_the_doubt_is_gone(doubt: Doubt, browser: httpx.Client) -> None:
    assert browser.post("/slaves", data={"slave": "eves", "verb": "trust"}).status_code == 303
    assert DoubtCalls(doubt.client).doubts() == []
    assert "In doubt" not in text(browser.get("/slaves/eves"))
    assert "trust build" in text(browser.get("/users"))
    with pytest.raises(NotFound):
        DoubtCalls(doubt.client).trust("eves")


def test_the_page_asks_before_it_convicts(doubt: Doubt, browser: httpx.Client) -> None:
    asked = browser.post("/slaves", data={"slave": "eves", "verb": "convict"})
    assert "Convict slave eves?" in text(asked)
    assert DoubtCalls(doubt.client).doubts()
    assert browser.post("/slaves", data={"slave": "eves", "verb": "convict", "sure": "1"}).status_code == 303
    assert DoubtCalls(doubt.client).doubts() == []


def test_the_command_lists_trusts_and_distrusts_and_doctor_warns(
    served: Served, doubt: Doubt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SERVER", served.url), ("TOKEN", doubt.token)):
        monkeypatch.setenv(f"DISTREN_{name}", value)
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
        assert done.exit_code in (0, 8), done.output
        return done.output

    assert f"{served.url}/slaves/eves#doubts" in run("slaves", "doubts")
    assert BUILD in run("slaves", "doubts")
    assert "1 frames in doubt" in run("slaves")
    assert "slave eves drew 1 frames otherwise" in run("doctor")
    assert f"Trusted from now on: {BUILD}." in run("slaves", "doubts", "--trust", "eves")
    assert "Nothing is in doubt." in run("slaves", "doubts")
    assert f"Not trusted any more: {BUILD}." in run("slaves", "doubts", "--distrust", "eves")
    assert "distrust build" in run("users", "--deeds")
