from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from farm.methods.base import Offered
from tests.blenders import blenders, run_inside, two


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "blender" in metafunc.fixturenames:
        metafunc.parametrize("blender_index", [0, 1], ids=["program", "package"])


@pytest.fixture
def blender(blender_index: int) -> Offered:
    found = two()
    if blender_index >= len(found):
        pytest.skip("There is no Blender program on this machine.")
    return found[blender_index]


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small project, made by the oldest Blender here, so that all can open it."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent / "shots" if base.name.startswith("popen-") else base / "shots"
    with (folder.parent / "shots.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            run_inside(blenders()[0], Path(__file__).parent / "make_shots.py", folder / "scratch", str(folder))
            (folder / "made").touch()
    return folder
