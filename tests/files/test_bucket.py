"""Blobs in a bucket: here a folder, behind the library that speaks to S3. tests/farm/test_bucket.py has a real S3."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore

from farm.files import bucket
from farm.files.bucket import BucketStore, opened
from farm.files.disk import DiskStore
from farm.files.partials import Upload
from farm.files.sizes import Sizes
from farm.files.store import Damage, take_in
from farm.words.errors import BrokenOff, FileNotHere, HashMismatch, Unavailable
from tests.ports import free_port

ROOM = 1000


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def put(store: BucketStore, data: bytes, sha256: str | None = None) -> str:
    return asyncio.run(take_in(store, chunks(data), sha256, len(data))).sha256


def get(store: BucketStore, sha256: str, start: int = 0, end: int | None = None) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in store.open_range(sha256, start, end)])

    return asyncio.run(read())


class Place:
    """A bucket, and processes' folders before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bucket = folder / "bucket"
        self.bucket.mkdir(parents=True)

    def store(self, name: str = "a", room: int = ROOM) -> BucketStore:
        """Return the store as one process has it."""
        return BucketStore(LocalStore(str(self.bucket)), DiskStore(self.folder / name), room)

    def copies(self, name: str = "a") -> set[str]:
        """Return what a process holds."""
        return set(DiskStore(self.folder / name).hashes())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_one_process_puts_another_reads_under_the_name_that_a_disk_would_give_it(place: Place) -> None:
    name = put(place.store("a"), b"a picture", sha(b"a picture"))
    other = place.store("b")
    assert (get(other, name), other.size(name), list(other.hashes())) == (b"a picture", 9, [name])
    assert (place.bucket / name[:2] / name).read_bytes() == b"a picture"
    assert place.copies("b") == set()  # who only reads through it keeps nothing
    assert other.local(name).read_bytes() == b"a picture"
    assert place.copies("b") == {name}


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 310), st.integers(0, 310))
def test_any_range_reads_right_from_the_bucket_and_from_a_copy(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: int, end: int
) -> None:
    place = Place(tmp_path_factory.mktemp("range"))
    name = put(place.store("a"), data)
    for process in ("a", "b"):
        assert get(place.store(process), name, start, end) == data[start:end]
    assert get(place.store("b"), name, start) == data[start:]


def test_bytes_that_are_not_the_announced_ones_never_reach_the_bucket(place: Place) -> None:
    with pytest.raises(HashMismatch):
        put(place.store(), b"a lie", sha(b"the truth"))
    assert list(place.store().hashes()) == []
    assert list((place.folder / "a" / "incoming").iterdir()) == []


def test_an_upload_that_broke_off_goes_on(place: Place) -> None:
    data = os.urandom(3_000_000)
    upload = Upload("user-1", sha(data), 10**9)

    async def broken() -> AsyncIterator[bytes]:
        yield data[:2_000_000]
        raise BrokenOff

    store = place.store()
    with pytest.raises(BrokenOff):
        asyncio.run(take_in(store, broken(), sha(data), len(data), upload))
    here = store.arrived(upload)
    assert here == 2_000_000
    stored = asyncio.run(take_in(store, chunks(data[here:]), sha(data), len(data), upload, here))
    assert get(place.store("b"), stored.sha256) == data


def test_large_files_travel_in_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "PART", 5 * 1024 * 1024)
    data = os.urandom(12 * 1024 * 1024)
    assert get(place.store("b"), put(place.store("a"), data)) == data


def test_copies_that_were_not_used_for_longest_give_way(place: Place) -> None:
    store = place.store(room=250)
    names = [put(store, bytes([n]) * 100) for n in range(2)]
    get(store, names[0])
    names.append(put(store, b"\2" * 100))
    assert place.copies() == {names[0], names[2]}
    assert [get(store, name)[:1] for name in names] == [b"\0", b"\1", b"\2"]


def test_a_blob_that_is_put_again_is_young_and_spared(place: Place) -> None:
    store = place.store()
    name = put(store, b"again")
    old = time.time() - 5000
    os.utime(place.bucket / name[:2] / name, (old, old))
    put(place.store("b"), b"again")
    assert not store.delete(name, older_than=600)
    assert get(store, name) == b"again"


def test_what_is_put_again_in_the_moment_of_its_removal_comes_back(place: Place) -> None:
    store = place.store()
    name = put(store, b"needed")
    assert store.delete(name, older_than=0)
    assert store.size(name) is None
    assert place.copies() == set()
    assert list(store.aside(older_than=600)) == []
    assert list(store.aside(older_than=0)) == [name]
    store.settle(name, wanted=True)
    assert get(store, name) == b"needed"
    assert list(store.aside(older_than=0)) == []


def test_what_nobody_wants_is_gone_for_good(place: Place) -> None:
    store = place.store()
    name = put(store, b"old")
    assert store.delete(name, older_than=0)
    store.settle(name, wanted=False)
    assert [path for path in place.bucket.rglob("*") if path.is_file()] == []
    with pytest.raises(FileNotHere):
        get(store, name)
    with pytest.raises(FileNotHere):
        store.local(name)
    assert not store.delete(name, older_than=0)


def test_other_bytes_than_were_put_are_not_handed_out_as_a_file(place: Place) -> None:
    name = put(place.store("a"), b"good")
    (place.bucket / name[:2] / name).write_bytes(b"evil")
    with pytest.raises(HashMismatch):
        place.store("b").local(name)
    assert place.copies("b") == set()


def test_a_bucket_that_does_not_answer_is_said_and_nothing_counts_as_stored(place: Place) -> None:
    away = opened("s3://farm", f"http://127.0.0.1:{free_port()}", "us-east-1", "key", "secret", patience=1)
    store = BucketStore(away, DiskStore(place.folder / "a"), ROOM)
    with pytest.raises(Unavailable, match="bucket"):
        put(store, b"a picture")
    assert place.copies() == set()
    with pytest.raises(Unavailable, match="bucket"):
        store.size(sha(b"a picture"))


def test_damage_in_the_bucket_is_found_behind_a_good_copy_and_set_aside(place: Place) -> None:
    store = place.store("a")
    name = put(store, b"a picture", sha(b"a picture"))
    assert store.damage(name) is None
    (place.bucket / name[:2] / name).write_bytes(b"A picture")
    assert (place.copies("a"), store.damage(name)) == ({name}, Damage.BLOB)
    store.spoil(name)
    assert (store.size(name), list(store.hashes()), place.copies("a")) == (None, [], set())
    (aside,) = (place.bucket / "spoilt").iterdir()
    assert aside.read_bytes() == b"A picture"
    with pytest.raises(FileNotHere):
        store.damage(name)


def test_of_a_good_blob_only_a_damaged_copy_is_set_aside(place: Place) -> None:
    store = place.store("a")
    name = put(store, b"a picture", sha(b"a picture"))
    copy = store.local(name)
    copy.chmod(0o644)
    copy.write_bytes(b"A picture")
    assert store.damage(name) is Damage.COPY
    store.spoil(name)
    assert (store.damage(name), get(store, name)) == (None, b"a picture")


def test_files_of_a_folder_are_looked_at_together_and_what_came_since_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = place.store("a"), list[str]()
    names = [put(store, b"%d" % number) for number in range(40)]
    size = BucketStore.size
    monkeypatch.setattr(BucketStore, "size", lambda self, name: asked.append(name) or size(self, name))
    sizes, (first, *_) = Sizes(store), sorted(names)
    assert [sizes.of(name, 1 if name in names[:10] else 2) for name in sorted(names)].count(2) == 30
    assert asked == []
    (place.bucket / first[:2] / first).unlink()
    late = sha(b"late")
    assert (Sizes(store).of(first, 1), sizes.of(late, 4)) == (None, None)
    put(store, b"late", late)
    assert (sizes.of(late, 4), asked) == (4, [first, late, late])
