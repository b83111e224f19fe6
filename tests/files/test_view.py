from __future__ import annotations

from pathlib import Path

import pytest

from farm.files.view import JobFolders


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(b"bytes")
    return path


def test_an_admin_finds_source_and_output_under_the_jobs_number(tmp_path: Path, blob: Path) -> None:
    folders = JobFolders(tmp_path / "stor")
    folders.show_source(12, "shots/my shot.blend", blob)
    folders.show_output(12, "passes/depth_0001.exr", blob)
    assert (tmp_path / "stor/job12/job12.blend").samefile(blob)
    assert (tmp_path / "stor/job12/output/passes/depth_0001.exr").read_bytes() == b"bytes"
    assert folders.unshown(12, [("passes/depth_0001.exr", b""), ("0002.exr", b"")]) == [("0002.exr", b"")]
    assert folders.highest() == 12


def test_showing_twice_is_the_same_and_a_newer_file_replaces(tmp_path: Path, blob: Path) -> None:
    folders = JobFolders(tmp_path / "stor")
    newer = tmp_path / "newer"
    newer.write_bytes(b"newer")
    for file in (blob, blob, newer, newer):
        folders.show_output(3, "0001.png", file)
    assert (tmp_path / "stor/job3/output/0001.png").read_bytes() == b"newer"
    assert blob.read_bytes() == b"bytes"
    assert folders.unshown(3, [("0001.png", b"")]) == []


def test_where_links_are_impossible_files_are_copied(
    tmp_path: Path, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    folders = JobFolders(tmp_path / "stor")
    folders.show_output(3, "0001.png", blob)
    assert (tmp_path / "stor/job3/output/0001.png").read_bytes() == b"bytes"


def test_a_removed_job_is_gone_and_its_blob_stays(tmp_path: Path, blob: Path) -> None:
    folders = JobFolders(tmp_path / "stor")
    folders.show_output(3, "0001.png", blob)
    folders.remove(3)
    folders.remove(3)
    assert list(folders.jobs()) == []
    assert folders.highest() == 0
    assert blob.exists()
