from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.copies import whole
from farm.methods.base import Offered
from tests.blender_addon.conftest import HERE
from tests.blenders import run_inside


@pytest.mark.blender
def test_a_copy_without_its_end_is_told_from_a_whole_one(blender: Offered, tmp_path: Path) -> None:
    run_inside(blender, HERE / "make_copies.py", tmp_path / "made", str(tmp_path))
    for name in ("plain.blend", "compressed.blend"):
        assert whole(str(tmp_path / name))
        data = (tmp_path / name).read_bytes()
        for length in (len(data) - 1, len(data) // 2, 2, 0):
            if name == "plain.blend" and length == len(data) - 1:
                continue  # only the last of its zeros
            (tmp_path / "cut.blend").write_bytes(data[:length])
            assert not whole(str(tmp_path / "cut.blend")), (name, length)
