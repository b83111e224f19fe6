"""How files of the cache get into a job's folder."""

from __future__ import annotations

from pathlib import Path

from farm.slave.tree import show
from tests.disks import small_disk


def test_on_another_disk_a_file_is_copied_and_just_as_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "cache", 1_000_000) as cache:
        (blob := cache / "blob").write_bytes(b"wood")
        (near := cache / "job" / "wood.png").parent.mkdir()
        far = tmp_path / "job" / "wood.png"
        show(blob, near)
        show(blob, far)
        assert near.samefile(blob)
        assert not far.samefile(blob)
        assert far.read_bytes() == b"wood"
        assert far.stat().st_mode & 0o222 == 0
        assert [path.name for path in far.parent.iterdir()] == ["wood.png"]
