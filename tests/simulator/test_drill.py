"""`distren simulate` over HTTP: a server is killed, and nothing is lost; what is wrong is told, with an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from farm.cli.simulate import _tell
from farm.simulator.faults import FAULTS
from farm.simulator.ownsite import OwnSite
from farm.simulator.report import Account
from farm.simulator.witness import Witness
from tests.cli.conftest import Run, home, run

__all__ = ["home", "run"]


@pytest.mark.timeout(300)
def test_a_server_is_killed_and_every_frame_counts_once(run: Run, tmp_path: Path) -> None:
    words = ["--slaves", 6, "--users", 2, "--frames", 60, "--waves", 1, "--seconds", 0.5, "--deaths", 0, "--late", 0]
    report = tmp_path / "report"
    made = run("simulate", *words, "--faults", "kill-server", "--seed", 7, "--report", report, "--json")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["violations"], said["facts"]["frames rendered"]) == ([], "60")
    page = (report / "report.md").read_text("utf-8")
    assert FAULTS["kill-server"].what in page
    assert "Seed 7" in page
    assert {"frames.svg", "rate.svg", "memory.svg", "figures.json"} <= {file.name for file in report.iterdir()}


@pytest.mark.timeout(120)
def test_one_that_is_told_to_end_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    words = ["simulate", "--slaves", "2", "--users", "1", "--frames", "500", "--dir", str(place)]
    command = [sys.executable, "-m", "farm.cli.main", *words, "--report", str(tmp_path / "report")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        assert any("Wave 1" in line for line in run.stderr)
        assert list(place.iterdir())
        run.terminate()
        run.stderr.read()
    assert run.returncode == 130
    assert list(place.iterdir()) == []


@pytest.mark.mariadb
@pytest.mark.timeout(300)
def test_a_database_is_killed_and_every_frame_counts_once(run: Run, tmp_path: Path) -> None:
    words = ["--slaves", 6, "--users", 2, "--frames", 40, "--waves", 1, "--seconds", 0.5, "--deaths", 0, "--late", 0]
    report = tmp_path / "report"
    made = run("simulate", *words, "--faults", "kill-database", "--report", report, "--json")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["violations"], said["facts"]["files fetched and compared"]) == ([], "all 40")
    page = (report / "report.md").read_text("utf-8")
    assert f"kill-database: {FAULTS['kill-database'].what}" in page
    assert "at a server of its own with MariaDB" in page


def test_where_no_mariadb_is_installed_it_is_not_killed_and_not_used(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farm.simulator.owndatabase.program", lambda *_names: None)
    said: list[str] = []
    site = OwnSite(tmp_path, ["kill-database"], say=said.append)
    with site.opened():
        assert site.where == "a server of its own with SQLite"
    assert said == ["kill-database: not done here. MariaDB's server is not installed (apt-get install mariadb-server)."]
    asked = run("simulate", "--mariadb", "--report", tmp_path / "report")
    assert asked.exit_code != 0
    assert "MariaDB's server is not installed" in asked.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_all_faults_happen_to_two_thousand_slaves(run: Run, tmp_path: Path) -> None:
    words = ["--slaves", 2000, "--users", 10, "--frames", 40_000, "--seconds", 5, "--delay", 0.1, "--waves", 3]
    made = run("simulate", *words, "--faults", ",".join(FAULTS), "--report", tmp_path / "report", "--json")
    assert made.exit_code == 0, made.output


def test_an_unknown_fault_is_named_before_anything_starts(run: Run) -> None:
    made = run("simulate", "--faults", "kill-everybody")
    assert made.exit_code != 0
    assert "kill-everybody" in made.stderr
    assert all(name in made.stderr for name in FAULTS)


@pytest.mark.parametrize(
    "words",
    [
        ("--virtual", "--mariadb"),
        ("--virtual", "--faults", "partition"),
        ("--virtual", "--server", "http://farm:8282"),
        ("--server", "http://farm:8282", "--mariadb"),
        ("--faults", "partition,partition"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_starts(run: Run, words: tuple[str, ...]) -> None:
    made = run("simulate", *words)
    assert made.exit_code not in (0, 1)
    assert made.stdout == ""


def test_a_violation_is_told_and_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    witness = Witness()
    witness.sent(1, 2)
    witness.accepted(1, 1, 10)
    witness.accepted(1, 1, 11)
    witness.home(1, 1)
    with pytest.raises(typer.Exit) as ended:
        _tell(Account("t", "r", {}, witness.violations, "distren simulate"), tmp_path, json=False)
    assert ended.value.exit_code == 1
    told = capsys.readouterr().out
    for sentence in (
        "Frame 1 of job 1 was accepted of attempt 10, and of attempt 11.",
        "Job 1 is done, but has 1 pictures for 2 frames.",
    ):
        assert f"VIOLATED: {sentence}" in told
        assert sentence in (tmp_path / "report.md").read_text("utf-8")
