"""Does Blender freeze while much is sent? How often its editor is drawn meanwhile, in a real window."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from farm.methods.base import Offered
from farm.package.addon import NAME, main
from farm.protocol.accounts import MakeInvite
from tests.bench.entry import Entry
from tests.bench.travel import BLEND, written
from tests.blender_addon.window import Window, window
from tests.blenders import blenders, run_inside
from tests.farm.farm import Farm, running

HERE = Path(__file__).parent
FILES, SIZE = 8, 50 * BLEND
"""Of 250 MB each: 2 GB."""

STAGES = {"": "nothing is sent", "Reading files": "2 GB are hashed", "Sending": "2 GB are sent"}

Draws = Sequence[tuple[float, str]]


def measured(folder: Path) -> Iterator[Entry]:
    """Count how often a window is drawn while nothing, and while 2 GB are hashed and sent."""
    program = next((b for b in blenders() if b.launcher.kind == "program"), None)
    if program is None:
        return
    with running(folder) as farm, sending(program, folder, farm, FILES) as opened:
        told = opened.home / "state.json.draws"
        opened.until(lambda _state: told.exists(), "all is sent", 150)
        yield from _rates(json.loads(told.read_text()))


@contextmanager
def sending(program: Offered, folder: Path, farm: Farm, files: int) -> Iterator[Window]:
    """Give a window that logs in, and after some seconds sends files of 250 MB each.

    Args:
        program: a Blender that has windows.
        folder: where all of it is made.
        farm: where it goes.
        files: how many.
    """
    for number in range(files):
        written(folder / "textures" / f"{number}.png", SIZE)
    blend, home = folder / "shot.blend", folder / "home"
    run_inside(program, HERE / "make_textures.py", folder / "made", str(folder / "textures"), str(blend))
    main(str(folder / "dist"))
    home.mkdir()
    arguments = (farm.url, farm.client.make_invite(MakeInvite()).code)
    with window(
        program.launcher.program, blend, folder / "dist" / NAME, home, HERE / "make_redraws.py", arguments
    ) as opened:
        yield opened


def _rates(draws: Draws) -> Iterator[Entry]:
    for stage, words in STAGES.items():
        gaps = [after[0] - before[0] for before, after in pairwise(draws) if after[1] == stage]
        goal = ">= 20" if stage else ""
        note = (
            f"for {sum(gaps):.1f} s; the longest pause {max(gaps) * 1000:.0f} ms; drawn by the processor, server beside"
        )
        yield Entry(f"Blender's window while {words}", len(gaps) / sum(gaps), "redraws/s", goal, note=note)
