"""Small Blender frames: the farm beside Blender itself, and what lies between frames."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from farm.words.steps import Step
from tests.bench.byfarm import Project, slave, spans
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

FRAMES = 120
SAMPLED = 6


def measured(folder: Path) -> Iterator[Entry]:
    """Render the same small scene by Blender alone, by one process per frame, and by the farm."""
    project = Project.make("make_small.py", folder / "project", FRAMES)
    with running(folder, heartbeat_seconds="5") as farm:
        slave(farm, "ws01", project.blender)
        _, first = project.by_farm(farm, folder / "first")
        alone = project.alone("-s", "1", "-e", str(FRAMES), "-a")
        job, second = project.by_farm(farm, folder / "second")
        singles = [project.alone("-f", str(number)) for number in range(1, FRAMES, FRAMES // SAMPLED)]
        yield from _ratios(first, second, alone, statistics.mean(singles) * FRAMES)
        yield from _between(farm, job)
        slave(farm, "ws02", project.blender)
        _, shared = project.by_farm(farm, folder / "shared")
        yield Entry(f"{FRAMES} small frames: two slaves on one machine ÷ blender -a", shared / alone, "×",
                    note=f"{shared:.1f} s; the second slave's renderer starts within it")  # fmt: skip


def _ratios(first: float, second: float, alone: float, singles: float) -> Iterator[Entry]:
    note = f"submit to last file fetched, 1 slave × 1 slot, its second job: {second:.1f} s and {alone:.1f} s"
    yield Entry(f"{FRAMES} small frames: farm ÷ blender -a", second / alone, "×", "<= 1.05", note=note)
    yield Entry(f"{FRAMES} small frames: a slave's first job ÷ blender -a", first / alone, "×",
                note=f"{first:.1f} s")  # fmt: skip
    yield Entry(f"{FRAMES} small frames: farm ÷ a process per frame", second / singles, "×",
                note=f"{singles:.1f} s, extrapolated from {SAMPLED} frames")  # fmt: skip


def _between(farm: Farm, job: int) -> Iterator[Entry]:
    """Look at what the renderer itself measured, and at the server's clock."""
    idle = [1000 * span.seconds for span in spans(farm, job, Step.IDLE)]
    worst = statistics.quantiles(idle, n=10)[-1]
    note = f"by the renderer's clock; median of {len(idle)}; a tenth takes over {worst:.1f} ms"
    yield Entry("gap between frames on a slot", statistics.median(idle), "ms", "<= 20",
                peer="Afanasy 2,040; Flamenco 4,700", note=note)  # fmt: skip
    timing = farm.client.job_timing(job)
    assert timing.queued is not None
    assert timing.first_lease is not None
    yield Entry("submission complete to first lease", 1000 * (timing.first_lease - timing.queued), "ms", "<= 100",
                peer="Flamenco ≤ 22,000; Afanasy 1,500", note="idle slave, one job")  # fmt: skip
    for step in (Step.PREPARE, Step.RENDER, Step.WRITE, Step.CHECK, Step.REPORT):
        some = [1000 * span.seconds for span in spans(farm, job, step)]
        if some:
            yield Entry(f"small frame: {step}", statistics.median(some), "ms", note=f"median of {len(some)}")
