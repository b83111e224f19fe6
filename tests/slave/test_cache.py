"""The cache of jobs' files: limited, shared, checked; and trees made from it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from farm.protocol.jobs import FileEntry
from farm.slave import tree as trees
from farm.slave.cache import BlobCache
from farm.slave.tree import JobTree
from farm.words.errors import UnsafePackage

pytestmark = pytest.mark.anyio


class Source:
    """Brings blobs and counts how often."""

    def __init__(self) -> None:
        self.brought: list[str] = []
        self.pause = 0.0

    def blob(self, data: bytes) -> tuple[str, int, object]:
        sha256 = hashlib.sha256(data).hexdigest()

        async def fetch(target: Path) -> None:
            self.brought.append(sha256)
            await asyncio.sleep(self.pause)
            await asyncio.to_thread(target.write_bytes, data)

        return sha256, len(data), fetch


async def test_a_blob_is_fetched_once_whoever_asks(tmp_path):
    cache, source = BlobCache(tmp_path, 10**6), Source()
    source.pause = 0.05
    paths = await asyncio.gather(*(cache.get(*source.blob(b"abc")) for _ in range(5)))
    assert len(source.brought) == 1
    assert {p.read_bytes() for p in paths} == {b"abc"}
    assert paths[0].stat().st_mode & 0o777 == 0o444


async def test_what_was_used_longest_ago_goes_first_when_the_cache_is_full(tmp_path):
    cache, source = BlobCache(tmp_path, 1000), Source()
    blobs = [bytes([n]) * 100 for n in range(10)]
    for n, data in enumerate(blobs):
        path = await cache.get(*source.blob(data))
        os.utime(path, (1000 + n, path.stat().st_mtime))
    await cache.get(*source.blob(blobs[0]))
    await cache.get(*source.blob(b"n" * 150))
    here = [cache.path(hashlib.sha256(b).hexdigest()).exists() for b in blobs]
    assert here[0]
    assert not here[1]
    assert sum(100 for h in here if h) + 150 <= 1000


async def test_what_a_tree_still_shows_is_not_evicted(tmp_path):
    cache, source = BlobCache(tmp_path / "cache", 300), Source()
    path = await cache.get(*source.blob(b"a" * 200))
    os.link(path, tmp_path / "shown")
    await cache.get(*source.blob(b"b" * 200))
    assert path.exists()


async def test_a_blob_that_somebody_changed_is_fetched_anew(tmp_path):
    cache, source = BlobCache(tmp_path, 10**6), Source()
    path = await cache.get(*source.blob(b"right"))
    path.chmod(0o644)
    path.write_bytes(b"wrong")
    assert (await cache.get(*source.blob(b"right"))).read_bytes() == b"right"
    assert len(source.brought) == 2


async def test_a_blob_that_was_only_touched_is_kept(tmp_path):
    cache, source = BlobCache(tmp_path, 10**6), Source()
    path = await cache.get(*source.blob(b"right"))
    os.utime(path)
    await cache.get(*source.blob(b"right"))
    assert len(source.brought) == 1


async def test_a_failed_fetch_is_forgotten_and_the_next_one_tries_again(tmp_path):
    cache, source = BlobCache(tmp_path, 10**6), Source()
    sha256, size, fetch = source.blob(b"abc")

    async def broken(target: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await cache.get(sha256, size, broken)
    assert (await cache.get(sha256, size, fetch)).read_bytes() == b"abc"


async def test_two_slaves_of_one_machine_fetch_a_blob_once(tmp_path):
    code = """
        import asyncio, hashlib, sys
        from pathlib import Path
        from farm.slave.cache import BlobCache
        data = b"shared" * 1000
        async def fetch(target):
            await asyncio.sleep(0.5)
            target.write_bytes(data)
            print("fetched", flush=True)
        async def main():
            path = await BlobCache(Path(sys.argv[1]), 10**6).get(hashlib.sha256(data).hexdigest(), len(data), fetch)
            assert path.read_bytes() == data
        asyncio.run(main())
    """
    argv = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: ASYNC220
    said = [(p.communicate(timeout=30)[0], p.returncode) for p in both]
    assert sorted(said) == [("", 0), ("fetched\n", 0)]
    assert [p for p in (tmp_path / "locks").rglob("*") if p.is_file()] == []


def entry(path: str, data: bytes, frames: str | None = None) -> FileEntry:
    return FileEntry(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data), frames=frames)


def of(cache: BlobCache, source: Source, *blobs: bytes):
    known = {hashlib.sha256(b).hexdigest(): b for b in blobs}

    async def blob(sha256: str, size: int) -> Path:
        return await cache.get(*source.blob(known[sha256]))

    return blob


async def test_a_tree_shows_files_under_the_artists_names_and_links_them(tmp_path):
    cache, source = BlobCache(tmp_path / "cache", 10**6), Source()
    files = [entry("Shot 1/wood ä.png", b"w"), entry("copy.png", b"w"), entry("s/1.vdb", b"1", "1-3"), entry("e", b"")]
    tree = JobTree(tmp_path / "tree", files, of(cache, source, b"w", b"1", b""))
    await asyncio.gather(tree.ensure(7), tree.ensure(7))
    assert (tmp_path / "tree/Shot 1/wood ä.png").read_bytes() == b"w"
    assert (tmp_path / "tree/e").read_bytes() == b""
    assert not (tmp_path / "tree/s").exists()
    await tree.ensure(2)
    shown = tmp_path / "tree/s/1.vdb"
    assert shown.stat().st_nlink == 2
    assert shown.stat().st_mode & 0o777 == 0o444
    await tree.remove()
    assert not (tmp_path / "tree").exists()
    assert cache.path(files[0].sha256).exists()


async def test_where_there_are_no_links_files_are_copied_read_only(tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(trees.os, "link", no_links)
    cache, source = BlobCache(tmp_path / "cache", 10**6), Source()
    tree = JobTree(tmp_path / "tree", [entry("a", b"abc")], of(cache, source, b"abc"))
    await tree.ensure(1)
    assert (tmp_path / "tree/a").read_bytes() == b"abc"
    assert (tmp_path / "tree/a").stat().st_mode & 0o777 == 0o444
    assert cache.path(entry("a", b"abc").sha256).stat().st_nlink == 1


async def test_a_tree_refuses_unsafe_paths(tmp_path):
    for path in ("/etc/passwd", "../x", "a/../b", "c:/x"):
        with pytest.raises(UnsafePackage):
            JobTree(tmp_path / "tree", [entry(path, b"x")], of(BlobCache(tmp_path / "c", 9), Source()))
