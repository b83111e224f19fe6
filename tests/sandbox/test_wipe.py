"""What programs leave that don't want it to be removed, or counted."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from farm.sandbox import wipe as module
from farm.sandbox.wipe import contents, size, wipe

DEEP = 1500
"""More than Python may call itself, and than a path may have names."""


def dig(folder: Path, depth: int) -> None:
    """Make folders in each other, each with a file."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("in", dir_fd=here)
        below = os.open("in", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.skipif(sys.platform == "win32", reason="no folders by number there")
def test_folders_are_removed_however_deep_they_are_and_links_lead_nowhere(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "left"
    for place in (outside, folder):
        place.mkdir()
        (place / "file").write_text("kept")
    (folder / "link").symlink_to(outside)
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to(tmp_path)
    dig(folder / "a", DEEP)
    wipe(folder)
    assert not folder.exists()
    assert (outside / "file").read_text() == "kept"


def test_a_link_instead_of_a_folder_is_left_alone_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    wipe(tmp_path / "link")
    wipe(tmp_path / "nothing")
    assert (tmp_path / "there" / "file").exists()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("setpriv"), reason="root only")
def test_rights_keep_nothing_from_being_removed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="distren-rights-"))
    try:
        (folder / "left" / "locked" / "inner").mkdir(parents=True)
        (folder / "left" / "locked" / "inner" / "file").write_text("x")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        for path in ("left/locked/inner", "left/locked", "left"):
            (folder / path).chmod(0)
        ends = f"print(size(Path({str(folder / 'left')!r})))\nwipe(Path({str(folder / 'left')!r}))"
        code = f"{inspect.getsource(module)}\n{ends}"
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", code]
        done = subprocess.run(nobody, capture_output=True, text=True, timeout=60, check=True)
        assert int(done.stdout) == shutil.disk_usage(folder).total, "who hides something has all of it"
        assert not (folder / "left").exists()
    finally:
        shutil.rmtree(folder)


def test_the_size_of_a_folder_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(100_000))
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert 100_000 <= size(tmp_path / "a") < 200_000
    assert len(list(contents(tmp_path / "a"))) == 3
