"""Does Blender freeze while much is sent? How often its editor is drawn meanwhile, in a real window."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from farm.package.addon import NAME, main
from farm.protocol.accounts import MakeInvite
from tests.bench.entry import Entry
from tests.bench.travel import BLEND, written
from tests.blender_addon.window import window
from tests.blenders import blenders, run_inside
from tests.farm.farm import running

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
    for number in range(FILES):
        written(folder / "textures" / f"{number}.png", SIZE)
    blend, home = folder / "shot.blend", folder / "home"
    run_inside(program, HERE / "make_textures.py", folder / "made", str(folder / "textures"), str(blend))
    main(str(folder / "dist"))
    for place in (folder / "farm", home):
        place.mkdir()
    with running(folder / "farm") as farm:
        arguments = (farm.url, farm.client.make_invite(MakeInvite()).code)
        with window(program, blend, folder / "dist" / NAME, home, HERE / "make_redraws.py", arguments) as opened:
            told = home / "state.json.draws"
            opened.until(lambda _state: told.exists(), "all is sent", 150)
            time.sleep(0.5)
            yield from _rates(json.loads(told.read_text()))


def _rates(draws: Draws) -> Iterator[Entry]:
    for stage, words in STAGES.items():
        gaps = [after[0] - before[0] for before, after in pairwise(draws) if after[1] == stage]
        goal = ">= 20" if stage else ""
        note = (
            f"for {sum(gaps):.1f} s; the longest pause {max(gaps) * 1000:.0f} ms; drawn by the processor, server beside"
        )
        yield Entry(f"Blender's window while {words}", len(gaps) / sum(gaps), "redraws/s", goal, note=note)
