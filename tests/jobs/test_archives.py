"""Tarballs from strangers: each is taken whole, or refused by name with nothing left of it."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.files.disk import DiskStore
from farm.files.store import Stored
from farm.jobs.archives import unpack_archive
from farm.package import archive
from farm.words.errors import DistrenError, TooLarge, UnsafePackage

LIMIT = 10**9
Member = tuple[str, bytes, bytes]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DiskStore:
    return DiskStore(tmp_path_factory.mktemp("store"), 0)


def tarball(*members: Member) -> bytes:
    """Make a tar of (name, type, data)."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "/etc/passwd"
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


PLAIN = (
    ("scene.pov", tarfile.REGTYPE, b"sphere"),
    ("maps", tarfile.DIRTYPE, b""),
    ("maps/a.png", tarfile.REGTYPE, b"x"),
)


def unpack(store: DiskStore, folder: Path, data: bytes, limit: int = LIMIT) -> dict[str, int]:
    path, known = folder / "job.tar", list[Stored]()
    path.write_bytes(data)
    found = unpack_archive(store, path, limit, known.extend)
    assert [(k.sha256, k.size) for k in known] == [(f.sha256, f.size) for f in found]
    return {entry.path: entry.size for entry in found}


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd.compress], ids=["tar", "gz", "zst"])
def test_a_tarball_is_unpacked_however_it_is_compressed(
    store: DiskStore, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    assert unpack(store, tmp_path, compress(tarball(*PLAIN))) == {"scene.pov": 6, "maps/a.png": 1}


HOSTILE: dict[str, tuple[bytes, str]] = {
    "absolute": (tarball(("/etc/x", tarfile.REGTYPE, b"")), "“/etc/x” is absolute"),
    "upwards": (tarball(("../x", tarfile.REGTYPE, b"")), "holds an empty part, '.' or '..'"),
    "drive": (tarball(("C:/x", tarfile.REGTYPE, b"")), "a drive letter"),
    "symlink": (tarball(("x", tarfile.SYMTYPE, b"")), "“x” in the tarball is no plain file"),
    "hard link": (tarball(("x", tarfile.LNKTYPE, b"")), "no plain file"),
    "device": (tarball(("x", tarfile.CHRTYPE, b"")), "no plain file"),
    "fifo": (tarball(("x", tarfile.FIFOTYPE, b"")), "no plain file"),
    "twice": (tarball(PLAIN[0], PLAIN[0]), "can't both be in one job"),
    "case": (tarball(PLAIN[0], ("Scene.POV", tarfile.REGTYPE, b"")), "can't both be in one job"),
    "file and folder": (tarball(PLAIN[0], ("scene.pov/x", tarfile.REGTYPE, b"")), "a file and a folder at once"),
    "truncated": (tarball(*PLAIN)[:700], "unexpected end of data"),
    "truncated gz": (gzip.compress(tarball(*PLAIN))[:-30], "no readable tarball"),
    "damaged zst": (zstd.compress(tarball(*PLAIN))[:20] + bytes(40), "no readable tarball"),
    "no tar": (b"#version 3.7;\n" * 100, "no readable tarball"),
    "bzip2": (bz2.compress(tarball(*PLAIN)), "compressed by bzip2"),
    "zip": (b"PK\x03\x04" + bytes(100), "compressed by zip"),
    "huge header": (tarball(("x" * 70_000, tarfile.REGTYPE, b"")), "absurd size"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_breaks_the_tar_policy_is_refused_by_name(store: DiskStore, tmp_path: Path, name: str) -> None:
    data, words = HOSTILE[name]
    with pytest.raises(UnsafePackage) as refused:
        unpack(store, tmp_path, data)
    assert words in refused.value.message
    assert not list((store.root / "incoming").iterdir())


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gz", "zst"])
def test_zeros_without_end_are_a_bomb(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(archive, "FREE", 1_000_000)
    with pytest.raises(UnsafePackage, match="grows to more than 200 times"):
        unpack(store, tmp_path, compress(tarball(("zeros", tarfile.REGTYPE, bytes(50_000_000)))))
    assert not list((store.root / "incoming").iterdir())


def test_bytes_and_members_have_a_limit(store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge, match="more than the 6 bytes that are left"):
        unpack(store, tmp_path, tarball(*PLAIN), limit=6)
    monkeypatch.setattr(archive, "MEMBERS", 100)
    with pytest.raises(TooLarge, match="more than 100 members"):
        unpack(store, tmp_path, tarball(*((f"{n}", tarfile.REGTYPE, b"") for n in range(101))))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.binary(max_size=600), st.integers(0, 2000))
def test_no_bytes_break_the_reader_of_tarballs(store: DiskStore, tmp_path: Path, data: bytes, place: int) -> None:
    good = tarball(*PLAIN)
    with contextlib.suppress(DistrenError):
        unpack(store, tmp_path, good[:place] + data + good[place + len(data) :])
    assert not list((store.root / "incoming").iterdir())
