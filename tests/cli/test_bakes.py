"""The jobs that `--bake` makes of a draft, and what can't be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from farm.cli.chain import Link, chained
from farm.cli.draft import Draft, LocalFile
from farm.cli.submitoptions import Combining
from farm.client.farmclient import FarmClient
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobView, ParameterSet, Requirement
from farm.words.errors import Malformed

SHOT = Draft(
    Requirement(method="blender", version="4.5", engine="CYCLES", device="gpu", addons=["rig"]),
    {"scene": "Shot", "samples": 8, "relocate": "{}"},
    "1-20,30",
    source="shot.blend",
    files=[LocalFile("shot.blend", Path("shot.blend")), LocalFile("wood_0005.png", Path("wood_0005.png"), "5")],
    values={"name": "shot", "project": "autumn", "paused": True, "approval": True, "depends": [Dependency(on="3")]},
    size=(64, 64),
    unbaked=["cloth of “Flag”"],
    unready=["The scene “Shot” simulates what is not baked."],
)


def chain(draft: Draft, **wish: Any) -> list[Link]:
    return chained(draft, Combining(**wish), cast("FarmClient", None), None)


def told(links: Sequence[Link]) -> list[Draft]:
    """Return what is sent, each told of the job before it, whose number is its place."""
    jobs = [None, *(JobView.model_construct(job=place) for place in range(1, len(links)))]
    return [link.draft(job) for link, job in zip(links, jobs, strict=True)]


def test_a_bake_is_one_frame_that_needs_all_files_and_whatever_renders_waits_for_it() -> None:
    bake, shot = told(chain(SHOT, bake=True))
    assert bake.frames == "30"
    assert bake.settings == {"scene": "Shot", "relocate": "{}", "bake": True}
    assert bake.requires == Requirement(method="blender", version="4.5", addons=["rig"])
    assert [file.frames for file in bake.files] == [None, None]
    assert (bake.values["name"], bake.values["project"], bake.values["paused"]) == ("shot (bake)", "autumn", True)
    assert not {"approval", "depends"} & bake.values.keys()
    assert shot.values["depends"] == [Dependency(on="1", overlay=True), Dependency(on="3")]
    assert (shot.values["paused"], shot.values["approval"]) == (False, True)
    assert (shot.frames, shot.settings, shot.problems) == (SHOT.frames, SHOT.settings, [])


def test_tiles_and_videos_come_behind_a_bake() -> None:
    bake, tiles, pictures, video = told(chain(SHOT, bake=True, tiles="2x1", video="mp4"))
    assert (bake.frames, tiles.settings["tiles"]) == ("30", "2x1")
    assert [one.on for one in tiles.values["depends"]] == ["1", "3"]
    assert {one.on for one in pictures.values["depends"]} == {"2"}
    assert [one.on for one in video.values["depends"]] == ["3"]
    assert [link.brings for link in chain(SHOT, bake=True, tiles="2x1", video="mp4")] == [False, False, True, True]


def test_what_simulates_is_a_problem_unless_it_is_baked_or_an_order_was_chosen() -> None:
    assert told(chain(SHOT))[0].problems == SHOT.unready
    assert told(chain(replace(SHOT, unready=[])))[0].problems == []


def test_what_needs_no_bake_gets_none(capsys: pytest.CaptureFixture[str]) -> None:
    (shot,) = told(chain(replace(SHOT, unbaked=[], unready=[]), bake=True))
    assert shot.values == SHOT.values
    assert "it needs no bake" in capsys.readouterr().err


def test_hair_is_named_before_anything_is_sent() -> None:
    bake, _ = told(chain(replace(SHOT, unbaked=["cloth of “Flag”", "hair dynamics of “Fur”"]), bake=True))
    assert len(bake.problems) == 1
    assert bake.problems[0].startswith("There is hair dynamics of “Fur”. Blender renders none that is baked")


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (replace(SHOT, unbaked=None), "for a .blend file"),
        (replace(SHOT, values={**SHOT.values, "order": "any"}), "two ways"),
        (replace(SHOT, sets=[ParameterSet(name="a", settings={"scene": "Other"})]), "sets render Other, too"),
    ],
)
def test_what_can_not_be_baked_first_is_refused(draft: Draft, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        chain(draft, bake=True)
