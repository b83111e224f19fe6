"""Small Blender frames: the farm beside Blender itself, and what lies between frames."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from farm.cli.bringhome import BringHome
from farm.cli.follow import Follower
from farm.methods.base import Offered
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, FrameView, Requirement, Submission
from tests.bench.entry import Entry
from tests.blenders import blenders, run_inside
from tests.farm.farm import Farm, running

FRAMES = 120
SAMPLED = 6
SCRIPT = Path(__file__).with_name("make_small.py")


def measured(folder: Path) -> Iterator[Entry]:
    """Render the same small scene by Blender alone, by one process per frame, and by the farm."""
    blender = next(o for o in blenders() if o.launcher.kind == "program")
    scene = folder / "small.blend"
    run_inside(blender, SCRIPT, folder, str(scene))
    program = str(blender.launcher.program)
    with running(folder, heartbeat_seconds="5") as farm:
        farm.start_slave("ws01", methods="blender", blender=program)
        farm.until(lambda: any(s.state == "idle" for s in farm.client.slaves()), 60, "the slave is in")
        job, took = _by_farm(farm, blender, scene, folder / "warm", f"1-{FRAMES}")
        alone = _alone(program, scene, "-s", "1", "-e", str(FRAMES), "-a")
        again, took_again = _by_farm(farm, blender, scene, folder / "again", f"1-{FRAMES}")
        singles = [_alone(program, scene, "-f", str(number)) for number in range(1, FRAMES, FRAMES // SAMPLED)]
        rendering = [statistics.median(_seconds(farm, number)) for number in (job, again)]
        yield from _ratios(took, took_again, alone, statistics.mean(singles) * FRAMES, rendering)
        yield from _between(farm, [job, again])


def _ratios(first: float, second: float, alone: float, singles: float, rendering: list[float]) -> Iterator[Entry]:
    note = f"{second:.1f} s and {alone:.1f} s; a frame renders in {rendering[1]:.3f} s"
    yield Entry(f"{FRAMES} small frames: farm ÷ blender -a", second / alone, "×", "<= 1.05",
                note=f"submit to last file fetched, 1 slave × 1 slot, its second job: {note}")  # fmt: skip
    yield Entry(f"{FRAMES} small frames: a slave's first job ÷ blender -a", first / alone, "×",
                note=f"{first:.1f} s; the renderer starts within it")  # fmt: skip
    yield Entry(f"{FRAMES} small frames: farm ÷ a process per frame", second / singles, "×",
                note=f"{singles:.1f} s, extrapolated from {SAMPLED} frames")  # fmt: skip


def _by_farm(farm: Farm, blender: Offered, scene: Path, out: Path, numbers: str) -> tuple[int, float]:
    """Return job and seconds from submitting to the last file fetched."""
    began = time.monotonic()
    sha256, size = hash_file(scene)
    wish = Submission(
        name="small",
        requires=Requirement(method="blender", version=".".join(blender.offer.version.split(".")[:2]), engine="CYCLES"),
        source=scene.name,
        files=[FileEntry(path=scene.name, sha256=sha256, size=size)],
        frames=numbers,
    )
    receiving = farm.client.submit(wish)
    for _ in receiving.missing:
        farm.client.put_blob(scene, sha256, size)
    farm.client.queue(receiving.job)
    home = BringHome(farm.client, receiving.job, out)
    Follower(farm.client, receiving.job, quiet=True, on_done=home.bring).follow()
    took = time.monotonic() - began
    assert len(home.haul.fetched) == len(list(out.rglob("*.png")))
    return receiving.job, took


def _alone(program: str, scene: Path, *arguments: str) -> float:
    began = time.monotonic()
    subprocess.run([program, "-b", scene, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def _frames(farm: Farm, job: int) -> list[FrameView]:
    numbers = range(1, farm.client.job(job).counts.total + 1)
    return [farm.client.frame(job, number) for number in numbers]


def _seconds(farm: Farm, job: int) -> list[float]:
    return [frame.seconds for frame in _frames(farm, job) if frame.seconds is not None]


def _between(farm: Farm, jobs: list[int]) -> Iterator[Entry]:
    """Look at the slave's own log: when each rendering began and ended."""
    gaps: list[float] = []
    for job in jobs:
        gaps += _gaps(farm, job)
    yield Entry("gap between frames on a slot", 1000 * statistics.median(gaps), "ms", "<= 20",
                peer="Afanasy 2,040; Flamenco 4,700", note=f"median of {len(gaps)}; from attempts' times")  # fmt: skip
    first = [_first_lease(farm, jobs[-1]) for _ in range(1)]
    yield Entry("submission complete to first lease", 1000 * statistics.median(first), "ms", "<= 100",
                peer="Flamenco ≤ 22,000; Afanasy 1,500", note="idle slave")  # fmt: skip


def _gaps(farm: Farm, job: int) -> list[float]:
    """Return what is left of the time from one frame's end to the next one's without its rendering."""
    ends = sorted((f.attempts[0].ended, f.attempts[0].seconds) for f in _frames(farm, job) if f.attempts)
    pairs = itertools.pairwise(ends)
    return [(later[0] - former[0]).total_seconds() - later[1] for former, later in pairs]


def _first_lease(farm: Farm, job: int) -> float:
    view = farm.client.job(job)
    issued = [attempt.issued for frame in _frames(farm, job) for attempt in frame.attempts]
    assert view.queued is not None
    return (min(issued) - view.queued).total_seconds()
