from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon import cachefiles
from blender_addon.sequences import tile


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        (cachefiles.FLUID, ["data/fluid_data_0001.vdb", "config/config_0012.uni", "mesh/lMesh_10000.bobj.gz"]),
        (cachefiles.OCEAN, ["disp_0001.exr", "spray_inverse_0003.exr", "foam_-0002.exr"]),
        (cachefiles.BAKES, ["meta/00001_00000.json", "blobs/00001_00000.blob", "785493426/meta/-0001_50000.json"]),
        (cachefiles.points("Cube", ""), ["43756265_000001_00.bphys", "43756265_000000_01.bphys"]),
        (cachefiles.points("Cube", "flag.a"), ["flag.a_000001_00.bphys", "flag.a_000250.bphys"]),
        (cachefiles.points("Ä", ""), ["C384_000001_00.bphys", "FFFFFFC3FFFFFF84_000001_00.bphys"]),
    ],
)
def test_of_a_caches_folder_only_its_own_files_are_taken(pattern: str, files: list[str], tmp_path: Path) -> None:
    others = [
        "diary.txt", "data/letter.txt", "letters/fluid_data_0001.vdb", "data/fluid_data_1.vdb", "disp.exr",
        "photo_0001.exr", "meta/notes.json", "private/meta/00001_00000.json", "flagxa_000001_00.bphys",
        "cat_000001_00.bphys", "43756265_000001_00.bphys.txt", "deep/er/still/meta/00001_00000.json",
    ]  # fmt: skip
    for name in {*files, *others}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mesh").mkdir(exist_ok=True)
    (tmp_path / "mesh" / "linked").symlink_to(tmp_path / "elsewhere")
    found = {Path(path).relative_to(tmp_path).as_posix() for path in cachefiles.matching(str(tmp_path), pattern)}
    assert found == set(files)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert list(cachefiles.matching(str(tmp_path / "gone"), cachefiles.OCEAN)) == []


@pytest.mark.parametrize(("number", "udim", "uvtile"), [(1001, "1001", "u1_v1"), (1012, "1012", "u2_v2")])
def test_a_tile_has_its_place_in_the_name(number: int, udim: str, uvtile: str) -> None:
    assert tile("/s/skin.<UDIM>.png", number) == f"/s/skin.{udim}.png"
    assert tile("/s/skin.<UVTILE>.png", number) == f"/s/skin.{uvtile}.png"
