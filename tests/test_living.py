"""What the tests start does not outlive them."""

from __future__ import annotations

import subprocess
import sys

from tests.living import all_gone, lives

KILLED = """
import subprocess, sys, time
from tests.living import bound
sleep = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(bound(sleep.pid), flush=True)
time.sleep(600)
"""


def test_a_killed_test_run_takes_along_what_it_started() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert lives(pid)
        run.kill()
    assert all_gone(pid)
