from __future__ import annotations

import contextlib
import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.methods.blender.header import check_whole, read_header, zstd
from farm.words.errors import Refused

BLENDS = Path(__file__).parent / "blends"
"""Files that real Blenders saved, compressed, with frames 3 to 8 and one scene."""


def old_file(version: bytes = b"304", scene: bytes = b"Shot") -> bytes:
    rend = struct.pack("<ii64s", 2, 48, scene)
    return b"BLENDER-v" + version + block(b"REND", rend) + block(b"GLOB", b"x" * 40) + block(b"ENDB", b"")


def block(code: bytes, data: bytes) -> bytes:
    return struct.pack("<4siQii", code, len(data), 1, 0, 1) + data


def new_file() -> bytes:
    rend = struct.pack("<ii256s", 1, 9, "Szene ä".encode())
    return b"BLENDER17-01v0500" + struct.pack("<4siQqq", b"REND", 0, 1, len(rend), 1) + rend + b"ENDB" + bytes(28)


def test_version_range_and_scene_are_in_the_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.blend").write_bytes(old_file())
    header = read_header(tmp_path / "a.blend")
    assert (header.version, header.start, header.end, header.scene, header.compressed) == ("3.4", 2, 48, "Shot", False)


def test_the_header_of_blender_5_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.blend").write_bytes(new_file())
    header = read_header(tmp_path / "a.blend")
    assert (header.version, header.start, header.end, header.scene) == ("5.0", 1, 9, "Szene ä")
    check_whole(tmp_path / "a.blend")


@pytest.mark.parametrize("squeeze", [zstd.compress, gzip.compress], ids=["zstd", "gzip"])
def test_a_compressed_file_is_read(tmp_path: Path, squeeze: object) -> None:
    assert callable(squeeze)
    (tmp_path / "a.blend").write_bytes(squeeze(old_file()))
    header = read_header(tmp_path / "a.blend")
    assert (header.version, header.start, header.compressed) == ("3.4", 2, True)
    check_whole(tmp_path / "a.blend")


@pytest.mark.parametrize("version", ["4.2", "5.0"])
def test_files_that_other_blenders_wrote_are_read(tmp_path: Path, version: str) -> None:
    written = BLENDS / f"blender-{version}.blend"
    (tmp_path / "plain.blend").write_bytes(zstd.decompress(written.read_bytes()))
    for path, compressed in ((written, True), (tmp_path / "plain.blend", False)):
        header = read_header(path)
        facts = (header.version, header.start, header.end, header.scene, header.compressed)
        assert facts == (version, 3, 8, "Straße", compressed)
        check_whole(path)


@pytest.mark.parametrize("squeeze", [bytes, zstd.compress, gzip.compress])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, squeeze: object) -> None:
    assert callable(squeeze)
    whole = squeeze(old_file())
    for length in (0, 3, 12, len(whole) // 2, len(whole) - 25):
        (tmp_path / "cut.blend").write_bytes(whole[:length])
        with pytest.raises(Refused, match=r"cut\.blend"):
            check_whole(tmp_path / "cut.blend")


def test_a_future_form_asks_for_an_update(tmp_path: Path) -> None:
    (tmp_path / "a.blend").write_bytes(b"BLENDER23-02v0700" + bytes(100))
    with pytest.raises(Refused, match="newer Blender"):
        read_header(tmp_path / "a.blend")


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"BLENDER-v304", b"BLENDER17-01v0500", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]),
)
def test_garbage_never_does_worse_than_being_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.blend"
    path.write_bytes(start + data)
    for read in (read_header, check_whole):
        with contextlib.suppress(Refused):
            read(path)


@pytest.mark.blender
def test_files_that_blender_saved_are_whole(shots: Path) -> None:
    header = read_header(shots / "shots" / "plain.blend")
    assert (header.start, header.end, header.scene) == (2, 8, "Shot")
    check_whole(shots / "shots" / "plain.blend")
    assert read_header(shots / "shots" / "compressed.blend").compressed
    check_whole(shots / "shots" / "compressed.blend")
