from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from farm.package.results import members, pack
from farm.words.errors import TooLarge, UnsafePackage


def packed(folder: Path) -> bytes:
    (folder / "a.png").write_bytes(b"picture")
    (folder / "log").write_text("fine")
    target = io.BytesIO()
    pack(target, {"shot_0001.png": folder / "a.png"}, log=folder / "log")
    return target.getvalue()


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, 0
        tar.addfile(info)
    return target.getvalue()


def read(data: bytes, limit: int = 10**6) -> list[tuple[str, str, bytes]]:
    return [(m.role, m.name, m.data.read()) for m in members(io.BytesIO(data), limit)]


def test_a_result_arrives_as_it_was_packed(tmp_path: Path) -> None:
    assert read(packed(tmp_path)) == [("output", "shot_0001.png", b"picture"), ("log", "log.txt", b"fine")]


def test_equal_files_make_equal_results_to_the_byte(tmp_path: Path) -> None:
    assert packed(tmp_path) == packed(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        hostile("/etc/passwd"),
        hostile("output/../../x"),
        hostile("output/a", tarfile.SYMTYPE, "/etc/passwd"),
        hostile("output/a", tarfile.LNKTYPE, "output/b"),
        hostile("output/a", tarfile.CHRTYPE),
        hostile("output/a", tarfile.DIRTYPE),
        hostile("elsewhere.png"),
        b"no tar at all, but more than a block of it " * 20,
    ],
)
def test_a_member_that_does_not_belong_there_is_refused(data: bytes) -> None:
    with pytest.raises(UnsafePackage):
        read(data)


def test_a_truncated_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafePackage):
        read(packed(tmp_path)[:700])


def test_a_result_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        read(packed(tmp_path), limit=8)
