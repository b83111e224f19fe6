"""Hashes are remembered, and never wrong."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.comms import hashes
from blender_addon.hashcache import QUIET, HashCache, Look
from farm.package.hashing import hash_file
from farm.words.settings import ClientSettings

OLD = time.time() - 10 * QUIET


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all files look as if nobody had touched them for long; their times differ as they really do."""
    really = Look.at.__func__  # type: ignore[attr-defined]

    def at(kind: type[Look], path: str) -> Look:
        look = really(kind, path)
        return replace(look, changed=look.changed - 10**12, touched=look.touched - 10**12)

    monkeypatch.setattr(Look, "at", classmethod(at))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Reader:
    """Remember hashes in a file, and tell which files were really read."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.read: list[Path] = []
        self.doubts: list[Exception] = []

    def __call__(self, path: Path) -> str:
        cache = HashCache(str(self.place), self.doubts.append)
        found = cache.hash_file(str(path), self._read)[0]
        cache.save()
        return found

    def _read(self, path: str) -> tuple[str, int]:
        self.read.append(Path(path))
        return hash_file(Path(path))


@pytest.fixture
def hashed(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "known")


@pytest.mark.usefixtures("aged")
def test_a_file_that_was_left_alone_is_read_once(tmp_path: Path, hashed: Reader) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    assert [hashed(file) for _ in range(3)] == [sha(b"wood")] * 3
    assert hashed.read == [file]
    assert (tmp_path / "known").stat().st_mode & 0o077 == 0, "what files a person has is nobody's business"


def same_size_and_time(file: Path) -> None:
    before = file.stat()
    file.write_bytes(b"WOOD")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_file_in_its_place(file: Path) -> None:
    before = file.stat()
    (other := file.with_name("other")).write_bytes(b"WOOD")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("change", [same_size_and_time, another_file_in_its_place, lambda f: f.write_bytes(b"WOOD")])
def test_a_changed_byte_is_seen_though_size_and_time_are_put_back(
    tmp_path: Path, hashed: Reader, change: Callable[[Path], object]
) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    assert hashed(file) == sha(b"wood")
    time.sleep(0.02)  # more than a tick of the file system's clock
    change(file)
    assert hashed(file) == sha(b"WOOD")


def test_a_file_that_was_changed_a_moment_ago_is_not_remembered(tmp_path: Path, hashed: Reader) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    os.utime(file, (OLD, OLD))  # its inode changed just now all the same
    for _ in range(2):
        hashed(file)
    assert hashed.read == [file, file]


@pytest.mark.usefixtures("aged")
def test_a_file_that_changes_while_it_is_read_is_not_remembered(tmp_path: Path, hashed: Reader) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")

    def while_it_grows(path: str) -> tuple[str, int]:
        found = hash_file(Path(path))
        file.write_bytes(b"wooden")
        return found

    cache = HashCache(str(hashed.place))
    cache.hash_file(str(file), while_it_grows)
    cache.save()
    assert hashed(file) == sha(b"wooden")


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, hashed: Reader, damage: bytes) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    (tmp_path / "known").write_bytes(damage)
    assert [hashed(file) for _ in range(3)] == [sha(b"wood")] * 3
    assert len(hashed.read) <= 2


@pytest.mark.usefixtures("aged")
def test_a_memory_that_can_not_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    (tmp_path / "blocked").write_bytes(b"")
    blocked = Reader(tmp_path / "blocked" / "known")
    assert blocked(file) == sha(b"wood")
    assert blocked.doubts


@pytest.mark.usefixtures("aged")
def test_what_the_command_has_read_the_add_on_does_not_read_again(
    tmp_path: Path, hashed: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hashed.place = ClientSettings().hashes
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    hashed(file)
    monkeypatch.setattr(hashes, "_read", lambda *_: pytest.fail("it was read again"))
    counted: list[int] = []
    for _ in range(2):
        ours = hashes.Hashes()
        assert ours.of(str(file), counted.append, threading.Event()) == (sha(b"wood"), 4)
        ours.save()
    assert counted == [4, 4]
