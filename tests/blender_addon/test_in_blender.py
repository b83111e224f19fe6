"""The add-on in real Blenders, installed from its zip, beside a real farm."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from farm import __version__
from farm.client.poolcalls import PoolCalls
from farm.methods.base import Offered
from farm.methods.blender.command import command, environment
from farm.protocol.pools import PoolWish
from tests.blender_addon.conftest import HERE, Play
from tests.blender_addon.former import FORMER, former
from tests.disks import small_disk
from tests.farm.artist import pixels, rendered_at_home, start_slave
from tests.farm.farm import Farm
from tests.serving import PASSPHRASE

pytestmark = [pytest.mark.blender, pytest.mark.timeout(600)]


GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "script-the-add-on.md"


def examples(url: str, blend: Path) -> list[str]:
    """Return the first examples of the guide, for a farm and a file that there are."""
    text = GUIDE.read_text(encoding="utf-8")
    for shown, here in {
        "http://render.local:8282": url, "/film/shot.blend": str(blend), '"…"': repr(PASSPHRASE),
        "1-250x2": "1-2", "1-250": "1-2", "120-140": "1", "=12": "=1", "128": "4",
    }.items():  # fmt: skip
        assert shown in text
        text = text.replace(shown, here)
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return [textwrap.dedent(block).strip() for block in blocks[:4]]


def test_an_unsaved_file_goes_to_the_farm_and_its_pictures_come_home(
    blender: Offered, project: Path, farm: Farm, invite: str, play: Play, home: Path, tmp_path: Path
) -> None:
    start_slave(farm, "ws01", blender)
    changed = project / "shots" / "changed.blend"
    film = project / "shots" / "film.blend"
    told = play("make_job.py", film, farm.url, invite, changed, *examples(farm.url, film))
    brought = farm.client.job(1)
    assert (brought.version, brought.frames, brought.state) == (2, "1-2", "done")
    assert told["jobs"] == [[2, "film", "done", 1], [1, "film", "done", 2]]
    assert told["before"] == told["after"]
    assert len(set(told["before"][-1][-1])) == 2, "two render slots hold two pictures"
    assert told["steps"] == [0.0, 1.0, 0.0], "nothing of ours is among the steps of undo"
    assert (told["shown"], told["left"]) == (len(told["before"][2]) + 1, len(told["before"][2]))
    former = project / "pictures" / "former" / "film_001.png"
    assert pixels(former) != pixels(project / "pictures" / "film_001.png")
    rendered_at_home(blender, changed, [1, 2], tmp_path / "at_home")
    assert pixels(project / "pictures" / "film_001.png") == pixels(tmp_path / "at_home" / "film_001.png")
    # The first job's frame 2 took the place of the second's when it was fetched once more.
    assert pixels(former.with_name("film_002.png")) == pixels(tmp_path / "at_home" / "film_002.png")
    tokens = home / ".config" / "distren" / "tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    token = next(iter(json.loads(tokens.read_text())["servers"].values()))["token"]
    kept = [path for path in Path(told["config"]).rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if token.encode() in path.read_bytes()]
    # Killed while the farm renders, Blender brings the pictures home when it is there again.
    assert play("make_return.py", farm.url, project / "shots" / "film.blend") == "sent"
    assert farm.ended(4).state == "done"
    assert play("make_return.py", farm.url) == {"4": 1}
    assert (project / "pictures" / "film_003.png").exists()
    # Killed in the middle of an upload, the next Blender sends the rest.
    assert play("make_half.py", farm.url, project / "shots" / "film.blend", 5) == "killed"
    assert farm.client.job(5).state == "receiving"
    assert play("make_half.py", farm.url) == {"offered": ["half"], "job": 5, "left": []}
    assert (project / "pictures" / "film_005.png").exists()


def test_pictures_in_tiles_and_their_video_come_home_and_what_can_not_be_is_said(
    blender: Offered, project: Path, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    start_slave(farm, "ws01", blender, methods="blender,image,video")
    film = project / "shots" / "film.blend"
    said = play("make_tiles.py", film, farm.url, invite)
    for case, words in {
        "too fine": "finer than the picture",
        "none": "“four” are no tiles",
        "update": "gets no tiles, no video and no bake",
        "stamp": "metadata would be that of a tile",
        "engine": "Only Cycles renders in tiles",
    }.items():
        assert words in said[case], (case, said[case])
    assert [(job.name, job.state) for job in farm.client.jobs().jobs] == [
        ("film", "done"), ("film (assembled)", "done"), ("film (tiles)", "done"),
        ("film (video)", "done"), ("film", "done"), ("film (tiles)", "done")
    ]  # fmt: skip
    rendered_at_home(blender, film, [1, 2], tmp_path / "at_home")
    for name in ("film_001.png", "film_002.png"):
        assert pixels(project / "pictures" / name) == pixels(tmp_path / "at_home" / name)
    assert (project / "pictures" / "film.mp4").stat().st_size
    assert (project / "pictures" / "film_002.jpg").stat().st_size


def test_blender_installs_it_from_a_servers_listing_and_keeps_it_current(
    blender: Offered, farm: Farm, home: Path
) -> None:
    if blender.launcher.kind == "program" and blender.offer.version < "4.2":
        pytest.skip("extensions came with Blender 4.2")
    answer, older = home / "answer.json", home / "older.zip"
    former(older)
    words = [f"{farm.url}/addon/index.json", str(older), str(answer)]
    done = subprocess.run(
        command(blender.launcher, HERE / "make_repository.py", words),
        env=environment(home), cwd=home, capture_output=True, text=True, timeout=120, errors="replace",
    )  # fmt: skip
    assert answer.exists(), done.stdout + done.stderr
    said = json.loads(answer.read_text())
    assert "nline access" in said.pop("refused")
    assert said == {
        "without leave": "", "installed": __version__, "older": FORMER, "updated": __version__,
        "modules": ["bl_ext.farm.distren"],
    }  # fmt: skip


def test_all_that_is_wrong_is_said_before_anything_is_sent_and_wishes_reach_the_farm(
    project: Path, farm: Farm, invite: str, play: Play, tmp_path: Path
) -> None:
    PoolCalls(farm.client).put("heavy", PoolWish())
    with small_disk(tmp_path / "tiny", 8_000) as full:
        said = play("make_findings.py", project, farm.url, invite, full)
        assert list(full.iterdir()) == [], "half a copy was left"
    for case, words in {
        "before login": "Connect to your farm first",
        "wrong address": "is no server's address",
        "no name": "Type your name and your passphrase.",
        "no camera": "has no camera",
        "missing": "Missing: image wood.png",
        "backwards": "runs backwards",
        "no json": "no JSON object",
        "no such setting": "has no setting “colour”",
        "no such pool": "There is no pool light.",
        "disk full": "Blender can't write a copy of the file",
        "output": "The output path is Blender's default",
        "in a library": "material “Gate”",
        "paint": "The painting on the image “wood.png” is not saved",
        "boost": "This takes 10.000 points, and there are 0.000.",
        "after logout": "Connect to your farm first",
    }.items():
        assert words in said[case], (case, said[case])
    if said["offline"]:  # Blender asks since 4.2
        assert "may not use the network: allow it first" in said["offline"][0]
        assert said["offline"][1] is True
    assert "rust.png (in the library gates.blend)" in said["in a library"]
    assert "rust.png" not in said["reloaded"]
    assert (said["only asked"], said["boost ended"]) == ("", "")
    assert said["missing"].strip().endswith("Mend it, or say anyway=True.")
    assert {"samples", "use_samples", "format"} <= set(said["declared"])
    assert "film_001.png already" in said["taken"][0]
    assert "film_001.png" not in said["taken"][1]
    assert "never saved" in said["unsaved"][0]
    assert said["unsaved"][2] == ""
    _wishes_reached(farm, said)


def _wishes_reached(farm: Farm, said: dict[str, Any]) -> None:
    assert farm.client.job(said["anyway"]).settings["allow_missing"] is True
    job = farm.client.job(said["all said"])
    assert (job.name, job.frames, job.settings["samples"], job.priority) == ("sunset", "1-9x2", 7, 80)
    assert (job.project, job.comment, job.state, job.order) == ("autumn", "for tomorrow", "paused", "in_order")
    assert (job.requires.device, job.requires.newer, job.approval) == ("gpu", True, True)
    assert (job.requires.tags, job.requires.pool) == (["gpu", "fast"], "heavy")
    test = farm.client.job(said["test"])
    assert (test.counts.total, test.settings["resolution_percentage"], test.name) == (1, 25, "film, test frame")
    panel = farm.client.job(said["panel"])
    assert (panel.frames, panel.settings["samples"], panel.project) == ("2-4", 3, "panel")
    assert (panel.requires.tags, panel.requires.pool) == (["quiet"], "heavy")
    unsaved = farm.client.job(said["unsaved"][1])
    assert unsaved.source.endswith("untitled.blend")
