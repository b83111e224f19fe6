"""Three servers of friends, with slaves, at places of their own; each of them, and each line between, fails once."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from farm.methods.base import Offered
from tests.blenders import blenders, run_inside
from tests.farm.sites import Site, friends, sites
from tests.network import Hub

NAMES = ("home", "annex", "attic")
SEEDS = os.environ.get("DISTREN_TEST_SEEDS", "1 2 3").split()
LAYER, FILM, PRINT = range(1, 25), range(1, 25), range(1, 13)
BUSY = "#declare I = 0; #while (I < 300000) #declare I = I + 1; #end\n"
"""Half a second of a processor."""

SCENE = f"""#version 3.7;
global_settings {{ assumed_gamma 1 }}
camera {{ orthographic location -3*z look_at 0 }}
{BUSY}
"""
COLOURED = SCENE + "background { rgb <clock, 1, 0> }\n"
SHOWN = f"""{SCENE}
#declare Place = concat("depends/home/FILM/", str(frame_number, -1, 0), "/film_", str(frame_number, -3, 0), ".png");
box {{ <-4, -4, 0>, <4, 4, 1>
      finish {{ ambient 1 diffuse 0 }} pigment {{ image_map {{ png Place }} translate -0.5 scale 4 }} }}
"""


class Chaos:
    """Let each server, slave and line fail once, at moments that a seed chooses, while jobs render.

    Args:
        seed: of all that is random.
        net: with the lines.
        farms: with servers and slaves.
        blender: that slaves are started with.
    """

    def __init__(self, seed: int, net: Hub, farms: list[Site], blender: Offered) -> None:
        self._random, self._net, self._farms, self._blender = random.Random(seed), net, farms, blender
        self.jobs: list[tuple[Site, int]] = []
        """What renders."""

    def run(self, frames: int) -> None:
        """Do all; `frames`: how many there are."""
        faults: list[Callable[[], None]] = [self._server(farm) for farm in self._farms]
        faults += [self._slave(farm) for farm in self._farms]
        faults += [self._line(one, other) for one, other in combinations(self._farms, 2)]
        self._random.shuffle(faults)
        moments = sorted(self._random.sample(range(frames - 4), len(faults)))
        for moment, fault in zip(moments, faults, strict=True):
            self._farms[0].until(partial(self._so_far, moment), 900, f"{moment} frames are done")
            time.sleep(self._random.uniform(0, 2))
            fault()

    def _so_far(self, count: int) -> bool:
        return sum(farm.client.job(job).counts.done for farm, job in self.jobs) >= count

    def _server(self, farm: Site) -> Callable[[], None]:
        away = self._random.uniform(0, 12)

        def fault() -> None:
            farm.server.kill()
            time.sleep(away)
            farm.start_server()

        return fault

    def _slave(self, farm: Site) -> Callable[[], None]:
        away = self._random.uniform(0, 6)

        def fault() -> None:
            slave = farm.slaves["ws01"]
            slave.kill()
            time.sleep(away)
            farm.until(lambda: not slave.descendants(), 60, "it has left no renderer")
            farm.start_renderer("ws01", self._blender)

        return fault

    def _line(self, one: Site, other: Site) -> Callable[[], None]:
        seconds = self._random.uniform(2, 25)

        def fault() -> None:
            with self._net.broken(one.side, other.side):
                time.sleep(seconds)

        return fault


def depending(attic: Site, film: int, folder: Path) -> int:
    """Have each frame at attic wait for one of the film at home, and show it; the last waits for one frame by name."""
    (scene := folder / "print.pov").write_text(SHOWN.replace("FILM", str(film)))
    size = ["--set", "width=96", "--set", "height=96", "--frames", f"{PRINT[0]}-{PRINT[-1]}"]
    return attic.submits(scene, *size, "--depends", f"distren://home/{film}/same")


def all_ended(farms: list[tuple[Site, int]]) -> None:
    for farm, job in farms:
        farm.ended(job, 900)


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("seed", list(map(int, SEEDS)))
def test_all_is_rendered_once_though_each_server_slave_and_line_fails_once(seed: int, tmp_path: Path) -> None:
    blender = blenders()[0]
    run_inside(blender, Path(__file__).parent / "make_project.py", tmp_path / "scratch", str(tmp_path))
    with sites(tmp_path, *NAMES) as (net, farms):
        home, annex, attic = farms
        friends(*farms)
        for farm in farms:
            farm.start_renderer("ws01", blender)
        (scene := tmp_path / "layer.pov").write_text(COLOURED)
        size = ["--set", "width=64", "--set", "height=48", "--set", "final_clock=1", "--frames", "1-24"]
        layer = home.submits(scene, *size, "--server", "annex")
        film = home.submits(
            tmp_path / "project" / "shots" / "film.blend",
            *("--blender", str(blender.launcher.program), "--frames", "1-24"),
            *("--resolution", "240x160", "--samples", "32"),
            *("--depends", f"distren://annex/{layer}/same"),
        )
        last = home.submits(scene, *size[:4], "--frames", "1", "--depends", f"distren://annex/{layer}/3")
        shown = depending(attic, film, tmp_path)
        chaos = Chaos(seed, net, farms, blender)
        chaos.jobs = [(annex, layer), (home, film), (home, last), (attic, shown)]
        chaos.run(len(LAYER) + len(FILM) + 1 + len(PRINT))
        all_ended(chaos.jobs)
        annex.every_frame_once(layer, LAYER, tmp_path)
        home.every_frame_once(film, FILM, tmp_path)
        home.every_frame_once(last, [1], tmp_path)
        attic.every_frame_once(shown, PRINT, tmp_path)
        assert_the_film_is_seen(attic, shown, tmp_path)
        lent = sum(assert_books(one, other) for one, other in combinations(farms, 2))
        assert lent, "slaves rendered for other servers"
        assert [farm.audit() for farm in farms] == [[], [], []]


def assert_the_film_is_seen(attic: Site, job: int, folder: Path) -> None:
    """See that what attic rendered shows a picture, not one colour."""
    attic.says("fetch", str(job), str(folder / "shown"))
    pictures = sorted((folder / "shown").rglob("*.png"))
    assert len(pictures) == len(PRINT)
    for path in pictures:
        with Image.open(path) as image:
            assert len(image.convert("RGB").getcolors(96 * 96) or []) > 4, path


def assert_books(one: Site, other: Site) -> int:
    """See that both say the same, from either end; return how many frames they rendered for each other."""
    here, there = one.books_agree(other), other.books_agree(one)
    assert here["ours"] == there["theirs"]
    assert here["theirs"] == there["ours"]
    print(f"{one.name} and {other.name}: {json.dumps(here['ours'])}")  # noqa: T201 - for who measures
    return int(here["ours"]["lent_frames"] + here["ours"]["owed_frames"])
