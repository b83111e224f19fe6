from __future__ import annotations

from datetime import UTC, datetime

import pytest

from farm.cli.findings import wal_reset_bug
from farm.cli.jobs import show_job
from farm.cli.output import ago, frame_progress, notice, say, size, span
from farm.cli.watch import told
from farm.protocol.examples import EXAMPLES
from farm.protocol.jobs import FarmEvent, JobView

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.44, "0.4 s"), (42, "42 s"), (90, "1 min 30 s"), (3720, "1 h 02 min"), (90000, "1 d 1 h")],
)
def test_spans_are_written_as_people_do(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_sizes_are_written_as_people_do() -> None:
    assert [size(n) for n in (0, 999, 1500, 2_000_000_000, 5e15)] == ["0 B", "999 B", "1.5 kB", "2.0 GB", "5000.0 TB"]


def test_a_clock_that_is_ahead_shows_nothing_negative() -> None:
    assert ago(NOON, NOON.replace(hour=11)) == "0.0 s ago"


def test_an_event_of_frames_names_states_and_ranges() -> None:
    event = FarmEvent(kind="frames", at=NOON, job=12, data={"ranges": {"done": "1-3", "failed": "4"}})
    assert told(event).endswith("job 12: done 1-3, failed 4")


@pytest.mark.parametrize(
    ("version", "bad"),
    [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 50, 7), False), ((3, 52, 0), False)],
)
def test_versions_of_sqlite_with_the_wal_reset_bug_are_known(version: tuple[int, int, int], bad: bool) -> None:
    assert wal_reset_bug(version) is bad


def test_paths_and_commands_stay_whole_in_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/a/long/folder" * 12 + " and words, " * 12
    notice(path)
    say(path)
    out, err = capsys.readouterr()
    assert (out, err) == (path + "\n", path + "\n")


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_progress_shortens_its_note_first(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    note = "No slave has blender 3.4 or newer with CYCLES, so it waits for one"
    with frame_progress() as progress:
        progress.add_task("Job 12 rendering", total=24, completed=3, note=note)
    shown = capsys.readouterr().err.strip().splitlines()
    assert len(shown) == 1, "on one line"
    assert shown[0].startswith("Job 12 rendering ")
    assert " 3/24 frames  12% No" in shown[0]
    assert (note in shown[0]) == (columns == "200")


def test_a_job_whose_files_were_let_go_says_when_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    job = JobView.model_validate(EXAMPLES["JobView"])
    show_job(job, [])
    assert "let go" not in capsys.readouterr().out
    show_job(job.model_copy(update={"let_go": NOON}), [])
    assert "let go on 2026-11-22: pictures stay" in " ".join(capsys.readouterr().out.split())
