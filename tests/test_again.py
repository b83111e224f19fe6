"""What `make test` makes of tests that fail beside others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import again

ONCE = """
from pathlib import Path
def test_it_fails_the_first_time():
    seen = Path(__file__).with_name("seen")
    known = seen.exists()
    seen.touch()
    assert known
"""
ALWAYS = "def test_it_always_fails():\n    assert False\n"
MANY = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_each_fails(n):\n    assert False\n"


def run(folder: Path, text: str) -> int:
    """Return how a whole run over this one module ends."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = soak: long\n")
    command = [sys.executable, "-m", "pytest", "-q", "--cache-clear"]
    return again.main(subprocess.run(command, cwd=folder, check=False).returncode, folder)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [(ONCE, 0, "UNSTEADY"), (ALWAYS, 1, "Alone, once more: 1"), (MANY, 1, ""), ("1/0", 2, "")],
    ids=["fails once", "fails always", "fails in numbers", "can't run"],
)
def test_only_a_few_that_pass_alone_are_forgiven_and_named(tmp_path, capfd, text, status, said):
    assert run(tmp_path, text) == status
    out = capfd.readouterr().out
    assert said in out
    assert ("Alone" in out) == bool(said)


@pytest.mark.parametrize("address", ["tests/a/test_b.py::test_c", "tests/a/test_b.py::test_c[a@b]"])
def test_the_group_behind_a_tests_address_is_left_out(address):
    assert again.without_group(address) == again.without_group(f"{address}@chromium") == address
    assert again.without_group(f"{address}@tests/a/test_b.py") == address
