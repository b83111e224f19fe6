"""A scene that takes long to prepare: what keeping the renderer open is worth, with equal pixels."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops

from farm.words.steps import Step
from tests.bench.byfarm import PERSISTENT, Project, slave, spans
from tests.bench.entry import Entry
from tests.farm.farm import Farm, running

FRAMES = 48
ANIMATED = 12
"""Frames that `blender -a` renders; the others take as long as these."""

SAMPLED = 2
KEPT = PERSISTENT / "heavy"
"""Scene, pictures and seconds of Blender alone: the two parts take minutes, and may be run apart."""

_ONCE = (Step.SUBMIT, Step.FETCH, Step.START, Step.LOAD, Step.PREPARE)


def alone(_folder: Path) -> Iterator[Entry]:
    """Render it by Blender alone, and some frames by one process each."""
    project = Project.make("make_heavy.py", KEPT, FRAMES)
    took = project.alone("-o", f"{KEPT.absolute()}/alone/", "-s", "1", "-e", str(ANIMATED), "-a")
    some = range(1, FRAMES + 1, FRAMES // SAMPLED)
    single = statistics.mean(project.alone("-o", f"{KEPT.absolute()}/single/", "-f", str(n)) for n in some)
    each = (took - single) / (ANIMATED - 1)
    animation = took + each * (FRAMES - ANIMATED)
    (KEPT / "alone.json").write_text(json.dumps({"animation": animation, "single": single}))
    yield Entry(f"{FRAMES} heavy frames: blender -a", animation, "s",
                note=f"{took:.1f} s for {ANIMATED} of them, {each:.2f} s for each of the others")  # fmt: skip
    yield Entry("a heavy frame: a process of its own", single, "s", note=f"mean of {len(some)}")


def by_farm(folder: Path) -> Iterator[Entry]:
    """Render it by a farm of one slave, and compare time and pixels with Blender alone."""
    if not (KEPT / "alone.json").exists():
        yield from alone(folder)
    project = Project(KEPT.absolute() / "heavy.blend", FRAMES, Project.make("make_small.py", folder, 1).blender)
    with running(folder, heartbeat_seconds="5") as farm:
        slave(farm, "ws01", project.blender)
        job, took = project.by_farm(farm, folder / "home")
        yield from _told(farm, job, took)
    yield _equal(KEPT / "alone", folder / "home")


def _told(farm: Farm, job: int, took: float) -> Iterator[Entry]:
    compared = spans(farm, job, Step.COMPARE)
    apart = sum(span.seconds for span in compared)
    yield from _ratios(took, apart, json.loads((KEPT / "alone.json").read_text()))
    note = f"{len(compared)} of {FRAMES} frames are rendered twice; not in the ratios that have a goal"
    yield Entry(f"{FRAMES} heavy frames: comparisons with cold ones", apart, "s", note=note)
    once = [f"{step} {max((s.seconds for s in spans(farm, job, step)), default=0):.1f} s" for step in _ONCE]
    warm = [statistics.median(s.seconds for s in spans(farm, job, step)) for step in (Step.PREPARE, Step.RENDER)]
    yield Entry("a heavy frame that was prepared before", sum(warm), "s", note=f"median; once: {', '.join(once)}")


def _ratios(took: float, compared: float, alone: dict[str, float]) -> Iterator[Entry]:
    animation, singles, apart = alone["animation"], alone["single"] * FRAMES, took - compared
    how = "1 slave × 1 slot, its first job, submit to last file fetched"
    yield Entry(f"{FRAMES} heavy frames: blender -a ÷ farm", animation / apart, "×", ">= 2.5",
                note=f"{animation:.1f} s and {apart:.1f} s, comparisons apart; {how}")  # fmt: skip
    yield Entry(f"{FRAMES} heavy frames: a process per frame ÷ farm", singles / apart, "×", ">= 3",
                note=f"{singles:.1f} s, extrapolated from {SAMPLED} frames, and {apart:.1f} s")  # fmt: skip
    yield Entry(f"{FRAMES} heavy frames: blender -a ÷ farm with its comparisons", animation / took, "×",
                note=f"{animation:.1f} s and {took:.1f} s")  # fmt: skip


def _equal(ours: Path, theirs: Path) -> Entry:
    names = sorted(path.name for path in ours.glob("*.png"))
    differing = [name for name in names if _differ(ours / name, next(theirs.rglob(name)))]
    return Entry(f"{FRAMES} heavy frames: pictures that differ from blender -a's", len(differing), "pictures", "<= 0",
                 note=f"decoded pixels of {len(names)} pictures")  # fmt: skip


def _differ(one: Path, other: Path) -> bool:
    with Image.open(one) as first, Image.open(other) as second:
        return first.size != second.size or ImageChops.difference(first, second).getbbox() is not None
