"""A scene that takes long to prepare: what keeping the renderer open is worth, with equal pixels."""

from __future__ import annotations

import json
import re
import resource
import statistics
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops

from farm.protocol.timing import StepSpan
from farm.words.steps import Step
from tests.bench.byfarm import PERSISTENT, Project, slave, spans
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

FRAMES = 48
ANIMATED = 6
"""Frames that `blender -a` renders; the others take as long as their median."""

SAMPLED = 2
KEPT = PERSISTENT / "heavy"
"""Scene, pictures and seconds of Blender alone: the two parts take minutes, and may be run apart."""

_ONCE = (Step.SUBMIT, Step.FETCH, Step.START, Step.LOAD, Step.PREPARE)


def alone(_folder: Path) -> Iterator[Entry]:
    """Render some frames by Blender alone, which prepares each of them anew."""
    project = Project.make("make_heavy.py", KEPT, FRAMES)
    log = KEPT / "alone.log"
    before = _cpu()
    project.alone("-o", f"{KEPT.absolute()}/alone/", "-s", "1", "-e", str(ANIMATED), "-a", log=log)
    cpu = (_cpu() - before) / ANIMATED
    told = re.findall(r"^ Time: (\d+):(\d+\.\d+)", log.read_text("utf-8", "replace"), re.MULTILINE)
    each = statistics.median(60 * int(minutes) + float(seconds) for minutes, seconds in told)
    (KEPT / "alone.json").write_text(json.dumps({"each": each, "cpu": cpu}))
    yield Entry("a heavy frame in blender -a", each, "s", note=f"median of {len(told)}, as Blender says")


def _cpu() -> float:
    """Return the CPU seconds of all programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _single(project: Project) -> float:
    """Return the seconds of a process for one frame: the least of some, since all would take the same."""
    some = range(1, FRAMES + 1, FRAMES // SAMPLED)
    return min(project.alone("-o", f"{KEPT.absolute()}/single/", "-f", str(n)) for n in some)


def by_farm(folder: Path) -> Iterator[Entry]:
    """Render it by a farm of one slave, and compare time and pixels with Blender alone."""
    if not (KEPT / "alone.json").exists():
        yield from alone(folder)
    project = Project(KEPT.absolute() / "heavy.blend", FRAMES, Project.make("make_small.py", folder, 1).blender)
    with running(folder, heartbeat_seconds="5") as farm:
        slave(farm, "ws01", project.blender)
        job, took = project.by_farm(farm, folder / "home")
        compared = spans(farm, job, Step.COMPARE)
        yield from _told(farm, job, compared)
    yield _equal(KEPT / "alone", folder / "home")
    yield from _ratios(took, took - sum(span.seconds for span in compared), _single(project))


def _told(farm: Farm, job: int, compared: list[StepSpan]) -> Iterator[Entry]:
    once = [f"{step} {max((s.seconds for s in spans(farm, job, step)), default=0):.1f} s" for step in _ONCE]
    warm = [statistics.median(s.seconds for s in spans(farm, job, step)) for step in (Step.PREPARE, Step.RENDER)]
    yield Entry("a heavy frame that was prepared before", sum(warm), "s", note=f"median; once: {', '.join(once)}")
    alone = json.loads((KEPT / "alone.json").read_text())["cpu"]
    tries = (try_ for number in range(1, FRAMES + 1) for try_ in farm.client.frame(job, number).attempts)
    ours = statistics.median(try_.cpu_seconds for try_ in tries if try_.cpu_seconds)
    cpu = f"{alone:.1f} s and {ours:.1f} s; right on a busy machine, too; of time, preparing on one core takes more"
    yield Entry("a heavy frame: CPU of blender -a ÷ of the farm", alone / ours, "×", note=cpu)
    note = f"{len(compared)} of {FRAMES} frames are rendered twice; not in the ratios that have a goal"
    apart = sum(span.seconds for span in compared)
    yield Entry(f"{FRAMES} heavy frames: comparisons with cold ones", apart, "s", note=note)


def _ratios(took: float, apart: float, single: float) -> Iterator[Entry]:
    each = json.loads((KEPT / "alone.json").read_text())["each"]
    animation, singles = single + each * (FRAMES - 1), single * FRAMES
    yield Entry("a heavy frame: a process of its own", single, "s", note=f"the least of {SAMPLED}")
    note = f"{animation:.1f} s, extrapolated from {ANIMATED} frames, and {apart:.1f} s, comparisons apart; "
    note += "1 slave × 1 slot, its first job, submit to last file fetched"
    yield Entry(f"{FRAMES} heavy frames: blender -a ÷ farm", animation / apart, "×", ">= 2.5", note=note)
    note = f"{singles:.1f} s, extrapolated from {SAMPLED} frames, and {apart:.1f} s"
    yield Entry(f"{FRAMES} heavy frames: a process per frame ÷ farm", singles / apart, "×", ">= 3", note=note)
    note = f"{animation:.1f} s and {took:.1f} s"
    yield Entry(f"{FRAMES} heavy frames: blender -a ÷ farm with its comparisons", animation / took, "×", note=note)


def _equal(ours: Path, theirs: Path) -> Entry:
    names = sorted(path.name for path in ours.glob("*.png"))
    differing = [name for name in names if _differ(ours / name, next(theirs.rglob(name)))]
    return Entry(f"{FRAMES} heavy frames: pictures that differ from blender -a's", len(differing), "pictures", "<= 0",
                 note=f"decoded pixels of {len(names)} pictures")  # fmt: skip


def _differ(one: Path, other: Path) -> bool:
    with Image.open(one) as first, Image.open(other) as second:
        return first.size != second.size or ImageChops.difference(first, second).getbbox() is not None
