"""Tiles and videos: the add-on makes the same jobs of a wish as the command does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from blender_addon.comms.chain import Step, steps
from blender_addon.comms.parcel import Combining, LocalFile, Parcel
from farm.cli import chain, draft, submitoptions
from farm.protocol.depends import Dependency
from farm.protocol.jobs import Limits, Requirement
from farm.words.ranges import FrameRange

SUBMISSION = {
    "name": "shot",
    "requires": {
        "method": "blender",
        "version": "4.5",
        "engine": "CYCLES+OIDN",
        "device": "cpu",
        "tags": ["fast"],
        "pool": "heavy",
    },
    "settings": {"scene": "Scene", "samples": 4, "outputs": "{}"},
    "source": "film/shot.blend",
    "frames": "1-3",
    "priority": 70,
    "project": "autumn",
    "key": "k",
}
FILES = [("shot.blend", None), ("wave_1.png", "1"), ("wave_23.png", "2-3")]


def ours(tiles: str, video: str, sound: str, finishing: tuple[str, ...], bake: bool) -> list[dict[str, Any]]:
    """What the add-on would send."""
    files = [LocalFile(f"/film/{name}", f"film/{name}", frames) for name, frames in FILES]
    wish = Combining(tiles, video, 25.0, (640, 480), sound, finishing=finishing, bake=bake)
    made = steps(Parcel(SUBMISSION, files, combining=wish), tiles, sound)
    return [_sent(step, number) for number, step in enumerate(made)]


def _sent(step: Step, before: int) -> dict[str, Any]:
    told = step.behind(before or None)
    needs = [Dependency.model_validate(one) for one in told.get("depends", [])]
    return {
        "name": told["name"],
        "requires": Requirement.model_validate(told["requires"]),
        "settings": told["settings"],
        "frames": FrameRange.parse(told["frames"]),
        "source": told.get("source", ""),
        "priority": told.get("priority"),
        "project": told.get("project"),
        "depends": [_plain(one) for one in needs],
        "limits": Limits.model_validate(told.get("limits", {})),
        "files": [(file.place, file.local, _range(file.frames)) for file in step.files],
        "brings": step.brings,
    }


def commands(tiles: str, video: str, sound: str, finishing: tuple[str, ...], bake: bool) -> list[dict[str, Any]]:
    """What the command would send."""
    files = [draft.LocalFile(f"film/{name}", Path(f"/film/{name}"), frames) for name, frames in FILES]
    whole = draft.Draft(
        Requirement.model_validate(SUBMISSION["requires"]), dict(SUBMISSION["settings"]), "1-3",  # type: ignore[call-overload]
        source="film/shot.blend", files=files, values={n: SUBMISSION[n] for n in ("name", "priority", "project")},
        fps=25.0, size=(640, 480), finishing=list(finishing),
        unbaked=["cloth of “Flag”"],
    )  # fmt: skip
    wish: Any = SimpleNamespace(tiles=tiles, video=video, fps=None, audio=None, bake=bake)
    links = chain.chained(whole, wish, None, Path(sound) if sound else None)  # type: ignore[arg-type]
    assert submitoptions.Combining.__dataclass_fields__.keys() >= {"tiles", "video", "fps", "audio", "bake"}
    return [_drafted(link, number) for number, link in enumerate(links)]


def _drafted(link: chain.Link, before: int) -> dict[str, Any]:
    job: Any = SimpleNamespace(job=before) if before else None
    made = link.draft(job)
    return {
        "name": made.values["name"],
        "requires": made.requires,
        "settings": made.settings,
        "frames": FrameRange.parse(made.frames),
        "source": made.source,
        "priority": made.values.get("priority"),
        "project": made.values.get("project"),
        "depends": [_plain(one) for one in made.values.get("depends", [])],
        "limits": made.values.get("limits", Limits()),
        "files": [(file.path, str(file.local), _range(file.frames)) for file in made.files],
        "brings": link.brings,
    }


def _plain(one: Dependency) -> tuple[str, Any, Any, str, bool]:
    return one.on, _range(one.frames), _range(one.needs), one.match, one.overlay


def _range(text: str | None) -> list[int] | None:
    return None if text is None else list(FrameRange.parse(text))


@pytest.mark.parametrize(
    ("tiles", "video", "sound", "finishing", "bake"),
    [
        ("", "", "", (), False),
        ("2x2", "", "", (), False),
        ("", "mp4", "", (), False),
        ("3x2", "webm", "/film/sound.flac", (), False),
        ("3x2", "mp4", "", ("The compositor …",), False),
        ("", "", "", (), True),
        ("2x2", "mp4", "", (), True),
    ],
)
def test_the_add_on_and_the_command_make_the_same_jobs(
    tiles: str, video: str, sound: str, finishing: tuple[str, ...], bake: bool
) -> None:
    assert ours(tiles, video, sound, finishing, bake) == commands(tiles, video, sound, finishing, bake)


def test_each_job_of_a_wish_has_a_key_of_its_own() -> None:
    made = steps(Parcel(SUBMISSION, [], combining=Combining("2x2", "mp4", 25.0, (640, 480))), "2x2", "")
    assert [step.submission["key"] for step in made] == ["k", "k-image", "k-video"]
    wish = Combining("2x2", "", 25.0, (640, 480), finishing=("The denoiser …",))
    keys = [step.submission["key"] for step in steps(Parcel(SUBMISSION, [], combining=wish), "2x2", "")]
    assert keys == ["k", "k-image", "k-finish"]
