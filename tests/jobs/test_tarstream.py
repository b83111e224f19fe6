"""Any range of a tar that is never written equals that range of the whole."""

from __future__ import annotations

import asyncio
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.files.disk import DiskStore
from farm.files.store import Stored
from farm.jobs.tarstream import Member, TarStream

LONG = "ü" * 90 + "/" + "x" * 150


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DiskStore:
    return DiskStore(tmp_path_factory.mktemp("store"), 0)


def kept(store: DiskStore, data: bytes) -> Stored:
    incoming = store.incoming()
    incoming.write(data)
    stored = incoming.keep()
    incoming.drop()
    return stored


def part(tar: TarStream, store: DiskStore, start: int, end: int) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in tar.open_range(store, start, end)])

    return asyncio.run(read())


@pytest.fixture(scope="module")
def tar(store: DiskStore) -> TarStream:
    blobs = [kept(store, bytes([n]) * size) for n, size in enumerate((0, 1, 511, 512, 513, 3000))]
    files = [Member(f"{n}.png", blob) for n, blob in enumerate(blobs)]
    return TarStream([Member("first.xml", b"<job/>"), Member(LONG, blobs[1]), *files])


def test_the_whole_is_a_tar_of_the_announced_size(store: DiskStore, tar: TarStream) -> None:
    data = part(tar, store, 0, tar.size)
    assert len(data) == tar.size
    assert tar.size % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as read:
        assert read.getnames() == ["first.xml", LONG, *(f"{n}.png" for n in range(6))]
        assert [member.size for member in read][2:] == [0, 1, 511, 512, 513, 3000]


@given(st.data())
def test_every_range_is_that_of_the_whole(store: DiskStore, tar: TarStream, data: st.DataObject) -> None:
    whole = part(tar, store, 0, tar.size)
    start = data.draw(st.integers(0, tar.size - 1))
    end = data.draw(st.integers(start + 1, tar.size))
    assert part(tar, store, start, end) == whole[start:end]


def test_the_mark_changes_with_names_and_bytes(store: DiskStore) -> None:
    blob, other = kept(store, b"a"), kept(store, b"b")
    files = (Member("a", blob), Member("b", blob), Member("a", other), Member("a", b"a"))
    marks = [TarStream([file]).sha256 for file in files]
    assert len(set(marks)) == 3
    assert marks[0] == marks[3]
