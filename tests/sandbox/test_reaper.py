"""What a process started does not outlive it, once it is bound."""

from __future__ import annotations

import subprocess
import sys

from tests.living import all_gone, lives

KILLED = """
import subprocess, sys, time
from farm.sandbox.reaper import bound
sleep = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(bound(sleep.pid), flush=True)
time.sleep(600)
"""


def test_a_killed_process_takes_along_what_is_bound_to_it() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert lives(pid)
        run.kill()
    assert all_gone(pid)
