"""The plugins that share tests among processes, together in their versions of today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
import pytest

@pytest.fixture(scope="module")
def shared():
    return 1

@pytest.mark.parametrize("number", range(12))
def test_shared(shared, number):
    pass

@pytest.mark.xdist_group("named")
@pytest.mark.parametrize("number", range(12))
def test_named(number):
    pass
"""


@pytest.mark.parametrize("kind", ["shared", "named"])
def test_tests_that_share_a_fixture_or_name_a_group_run_in_one_process(tmp_path: Path, kind: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "tests" / "test_some.py").write_text(MODULE)
    (tmp_path / "tests" / "conftest.py").write_text(Path(__file__).with_name("groups.py").read_text())
    argv = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-v", "-c", "/dev/null", "--rootdir", "."]
    said = subprocess.run([*argv, "tests"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    ran = re.findall(rf"\[(gw\d)\] .*PASSED .*test_{kind}\[", said.stdout)
    assert (len(ran), len(set(ran))) == (12, 1), said.stdout
