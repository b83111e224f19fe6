from __future__ import annotations

from pathlib import Path

import pytest

from farm.methods.base import MethodConfig
from farm.methods.blender.find import find
from farm.methods.blender.provision import provision


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(1800)
def test_bpy_from_pypi_becomes_a_blender_once(tmp_path: Path) -> None:
    told: list[str] = []
    made = provision(tmp_path / "blenders", told.append)
    assert "PyPI" in told[0]
    assert provision(tmp_path / "blenders", told.append) == made
    assert len(told) == 1, "the second time it is there"
    assert find(MethodConfig(environments=(tmp_path / "blenders",), search=False)) == [made]
