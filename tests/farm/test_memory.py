"""Memory does not grow with what is sent: client, slave and server, by the peaks that the system measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from farm.words.states import JobState
from tests.farm.farm import Farm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
MB = 1_000_000

PERSON = """
import json, resource, sys
from pathlib import Path
from farm.cli.bringhome import BringHome
from farm.cli.draft import Draft, LocalFile
from farm.cli.sending import Sending
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import Requirement
server, token, source, home, settings, frames = sys.argv[1:]
with FarmClient(server, token) as client:
    if source:
        files = [LocalFile(Path(source).name, Path(source))]
        needs = Requirement(method="sleep")
        draft = Draft(needs, json.loads(settings), frames, source=files[0].path, files=files, values={"name": "large"})
        sending = Sending(client, draft, quiet=True)
        sending.check()
        print(sending.send().job)
    else:
        bringing = BringHome(client, int(frames), Path(home))
        bringing.all()
        print(sum(file.size for file in bringing.haul.fetched))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(pid: int) -> int:
    """Return the most bytes that a process has had resident."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def person(farm: Farm, source: Path | str, home: Path, frames: str, **settings: object) -> tuple[int, int]:
    """Send a file, or bring a job home; return what came of it, and the peak of memory."""
    argv = [sys.executable, "-c", PERSON, farm.url, farm.token, str(source), str(home), json.dumps(settings), frames]
    clean = {"DISTREN_CLIENT_CONFIG": os.devnull, "XDG_CACHE_HOME": str(home)}
    done = subprocess.run(argv, env={**os.environ, **clean}, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    result, most = map(int, done.stdout.split()[-2:])
    return result, most


def generated(path: Path, size: int) -> Path:
    """Make a file that takes no room, and whose bytes differ with its size."""
    with path.open("wb") as file:
        file.write(str(size).encode())
        file.truncate(size)
    return path


def travels(farm: Farm, folder: Path, size: int, result: int) -> dict[str, int]:
    """Have a file sent, fetched by a slave, and a picture brought home; return the peaks."""
    made = generated(folder / f"{size}.bin", size)
    job, sent = person(farm, made, folder, "1", seconds=0, output_bytes=result)
    assert farm.ended(job, 600).state is JobState.DONE, farm.client.job(job)
    home, fetched = person(farm, "", folder / f"home-{size}", str(job))
    assert home >= result
    slave = farm.slaves["ws01"]
    return {"sent": sent, "fetched": fetched, "server": peak(farm.server.popen.pid), "slave": peak(slave.popen.pid)}


def flat(farm: Farm, folder: Path, size: int, result: int, bound: int) -> dict[str, int]:
    """Return by how much the peaks of a large transfer lie above those of a small one."""
    farm.start_slave()
    small = travels(farm, folder, 5 * MB, 5 * MB)
    large = travels(farm, folder, size, result)
    more = {name: large[name] - small[name] for name in small}
    assert max(more.values()) < bound, (small, large)
    return more


def test_a_large_project_travels_in_constant_memory(whole_farm: Farm, tmp_path: Path) -> None:
    flat(whole_farm, tmp_path, 300 * MB, 200 * MB, 60 * MB)


@pytest.mark.soak
def test_five_gigabytes_travel_in_constant_memory(whole_farm: Farm, tmp_path: Path) -> None:
    sys.stderr.write(f"{flat(whole_farm, tmp_path, 5_000 * MB, 900 * MB, 60 * MB)}\n")


def test_a_hundred_thousand_frames_need_little_memory(whole_farm: Farm) -> None:
    farm = whole_farm
    farm.start_slave(slots="2")
    farm.ended(farm.sleep_job("1-20", seconds=0))
    before = {name: peak(process.popen.pid) for name, process in (("server", farm.server), *farm.slaves.items())}
    job = farm.sleep_job("1-100000", seconds=0)
    farm.done_frames(job, 200)
    farm.client.command(job, "cancel")
    assert farm.ended(job).state is JobState.CANCELED
    after = {name: peak(process.popen.pid) for name, process in (("server", farm.server), *farm.slaves.items())}
    more = {name: after[name] - before[name] for name in before}
    assert more["ws01"] < 30 * MB, more
    assert more["server"] < 100 * MB, more
