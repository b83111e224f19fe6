from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from farm.methods.base import MethodConfig
from farm.methods.blender import provision as provision_module
from farm.methods.blender.find import find
from farm.methods.blender.places import candidates
from farm.methods.blender.provision import provision


def test_an_environment_that_a_killed_process_left_is_no_blender(tmp_path: Path) -> None:
    part = tmp_path / "blenders" / "bpy-4.5.part-4194399" / "bin"
    part.mkdir(parents=True)
    (part / "python").symlink_to(sys.executable)
    config = MethodConfig(environments=(tmp_path / "blenders",), search=False)
    assert list(candidates(config)) == []


def test_what_killed_installations_left_is_removed_and_what_runs_is_not(tmp_path: Path) -> None:
    left, running = tmp_path / "bpy-4.5.part-4194399", tmp_path / f"bpy-4.5.part-{os.getpid()}"
    left.mkdir()
    running.mkdir()
    provision_module._drop_broken_off(tmp_path / "bpy-4.5")
    assert (left.exists(), running.exists()) == (False, True)


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
