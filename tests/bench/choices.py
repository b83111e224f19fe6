"""What a user could do instead: the demo's animation by Blender alone, by a process per frame, and by this farm."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from farm.methods.blender.scene import SCENE, make_scene
from tests.bench.byfarm import Project, slave
from tests.bench.entry import Entry
from tests.blenders import blenders
from tests.farm.farm import running

FRAMES = 120
SAMPLED = 6
NAME = f"the demo's {FRAMES} frames: "


def measured(folder: Path) -> Iterator[Entry]:
    """Render the same frames in four ways, one after the other."""
    blender = next(one for one in blenders() if one.launcher.kind == "program")
    make_scene(blender.launcher, folder / "project")
    project = Project((folder / "project" / SCENE).absolute(), FRAMES, blender)
    with running(folder, heartbeat_seconds="5") as farm:
        alone = project.alone("-s", "1", "-e", str(FRAMES), "-a")
        yield Entry(f"{NAME}blender -a", alone, "s", note="the limit: one process for all")
        some = [project.alone("-f", str(number)) for number in range(1, FRAMES, FRAMES // SAMPLED)]
        singles = statistics.mean(some) * FRAMES
        yield Entry(f"{NAME}a process per frame", singles, "s", note=f"extrapolated from {SAMPLED}: simple farms do it")
        for count, words in ((1, "this farm, 1 slave"), (2, "this farm, 2 slaves")):
            slave(farm, f"ws{count}", blender)
            _, took = project.by_farm(farm, folder / words)
            ratio = f"{took / alone:.2f} × blender -a, {took / singles:.2f} × a process per frame"
            yield Entry(f"{NAME}{words}", took, "s", note=f"{ratio}; submit to last file fetched, on this one machine")
