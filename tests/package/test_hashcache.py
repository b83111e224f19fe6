"""Hashes are remembered, and never wrong."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from farm.package import hashcache
from farm.package.hashcache import QUIET, HashCache, Look

OLD = time.time() - 10 * QUIET


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list of files that are really read."""
    really, seen = hashcache.hash_file, list[Path]()

    def hash_file(path: Path) -> tuple[str, int]:
        seen.append(path)
        return really(path)

    monkeypatch.setattr(hashcache, "hash_file", hash_file)
    return seen


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all files look as if nobody had touched them for long; their times differ as they really do."""
    really = Look.at.__func__  # type: ignore[attr-defined]

    def at(kind: type[Look], path: Path) -> Look:
        look = really(kind, path)
        return replace(look, changed=look.changed - 10**12, touched=look.touched - 10**12)

    monkeypatch.setattr(Look, "at", classmethod(at))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hashed(place: Path, path: Path) -> str:
    with HashCache(place) as cache:
        return cache.hash_file(path)[0]


@pytest.mark.usefixtures("aged")
def test_a_file_that_was_left_alone_is_read_once(tmp_path: Path, read: list[Path]) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    assert [hashed(tmp_path / "known", file) for _ in range(3)] == [sha(b"wood")] * 3
    assert read == [file]
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
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    assert hashed(tmp_path / "known", file) == sha(b"wood")
    time.sleep(0.02)  # more than a tick of the file system's clock
    change(file)
    assert hashed(tmp_path / "known", file) == sha(b"WOOD")


def test_a_file_that_was_changed_a_moment_ago_is_not_remembered(tmp_path: Path, read: list[Path]) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    os.utime(file, (OLD, OLD))  # its inode changed just now all the same
    for _ in range(2):
        hashed(tmp_path / "known", file)
    assert read == [file, file]


@pytest.mark.usefixtures("aged")
def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    counted = hashcache.hash_file

    def while_it_grows(path: Path) -> tuple[str, int]:
        found = counted(path)
        path.write_bytes(b"wooden")
        return found

    monkeypatch.setattr(hashcache, "hash_file", while_it_grows)
    hashed(tmp_path / "known", file)
    assert hashed(tmp_path / "known", file) == sha(b"wooden")


@pytest.mark.usefixtures("aged")
@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, read: list[Path], damage: bytes) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    (tmp_path / "known").write_bytes(damage)
    assert [hashed(tmp_path / "known", file) for _ in range(3)] == [sha(b"wood")] * 3
    assert len(read) <= 2


@pytest.mark.usefixtures("aged")
def test_a_memory_that_can_not_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (file := tmp_path / "wood.png").write_bytes(b"wood")
    (tmp_path / "blocked").write_bytes(b"")
    assert hashed(tmp_path / "blocked" / "known", file) == sha(b"wood")
