"""The options of `submit`, in the groups of its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from farm.cli.connect import number_of
from farm.cli.draft import settings_given
from farm.protocol.depends import written
from farm.words.errors import Malformed
from farm.words.names import peer_tag
from farm.words.states import FrameOrder

RENDERING, WHERE, AFTER = "What to render", "Where and when", "And then"


def option(group: str, *names: str, **how: Any) -> Any:
    """Return an option in a group of the help."""
    return typer.Option(*names, rich_help_panel=group, **how)


@dataclass(frozen=True)
class Rendering:
    """What to render, and with which settings."""

    scene: Annotated[str | None, option(RENDERING, help="The scene to render; usually the file's active one.")] = None
    camera: Annotated[str | None, option(RENDERING, help="The camera object.")] = None
    samples: Annotated[int | None, option(RENDERING, min=1, help="Samples per pixel.")] = None
    file_format: Annotated[str | None, option(RENDERING, "--format", help="PNG, OPEN_EXR, JPEG …")] = None
    resolution: Annotated[str | None, option(RENDERING, metavar="WxH", help="For example 1920x1080.")] = None
    settings: Annotated[
        list[str] | None, option(RENDERING, "--set", metavar="NAME=VALUE", help="Any declared setting.")
    ] = None
    params: Annotated[
        Path | None,
        option(RENDERING, metavar="FILE", help="Render all frames once for each set in this TOML or JSON file."),
    ] = None
    only_missing: Annotated[
        bool,
        option(
            RENDERING,
            "--only-missing",
            help="Only frames without a picture in the folder of --fetch, or where the .blend puts them.",
        ),
    ] = False
    method: Annotated[str | None, option(RENDERING, help="The render method; usually told by the file.")] = None

    def wishes(self) -> dict[str, Any]:
        """Return the settings that the person wants.

        Raises:
            Malformed, BadSetting: one can't be read, or is given twice.
        """
        width, height = _resolution(self.resolution)
        named = {"scene": self.scene, "camera": self.camera, "samples": self.samples, "format": self.file_format}
        return settings_given(self.settings or [], {**named, "resolution_x": width, "resolution_y": height})


@dataclass(frozen=True)
class Combining:
    """What is done before and after the pictures: jobs of their own, of which each waits for the one before."""

    bake: Annotated[
        bool,
        option(RENDERING, "--bake", help="Let one slave bake what simulates in the .blend; then all render it."),
    ] = False

    tiles: Annotated[
        str | None,
        option(
            RENDERING,
            metavar="COLSxROWS",
            help="Render each picture in tiles, on all slaves, and put them together: 4x4, or auto (by what the job "
            "of this name took: tiles of 30 s).",
        ),
    ] = None
    video: Annotated[
        str | None, option(RENDERING, metavar="KIND", help="Make a video of the pictures: mp4, av1, prores, webm, gif.")
    ] = None
    fps: Annotated[
        float | None, option(RENDERING, min=0.01, max=1000, help="Its pictures per second; usually the scene's.")
    ] = None
    audio: Annotated[
        Path | None, option(RENDERING, metavar="FILE", help="Its sound; usually the scene's, if it has some.")
    ] = None


@dataclass(frozen=True)
class Where:
    """Where and when to render, and what the job is called."""

    update: Annotated[
        str | None,
        option(
            WHERE,
            metavar="JOB",
            help="Render the frames anew in this job of yours, which gets these files; its former pictures are kept.",
        ),
    ] = None
    name: Annotated[str, option(WHERE, help="The job's name; usually the file's.")] = ""
    project: Annotated[str, option(WHERE, help="A label.")] = ""
    comment: Annotated[str, option(WHERE, help="A note.")] = ""
    priority: Annotated[int, option(WHERE, min=0, max=100, help="Of your own jobs, a higher one is sooner.")] = 50
    max_slaves: Annotated[int | None, option(WHERE, min=1, help="At most so many slaves at once.")] = None
    slaves: Annotated[str, option(WHERE, metavar="NAMES", help="Only these slaves: ws01,ws02.")] = ""
    not_slaves: Annotated[str, option(WHERE, metavar="NAMES", help="Not these slaves.")] = ""
    tags: Annotated[str, option(WHERE, metavar="TAGS", help="Only slaves that have all these tags: gpu,fast.")] = ""
    on: Annotated[
        str, option(WHERE, "--on", metavar="SERVER", help="Only slaves that this peer lends; `distren peers`.")
    ] = ""
    pool: Annotated[str, option(WHERE, metavar="NAME", help="Only slaves of this pool; `distren pools`.")] = ""
    newer: Annotated[bool, option(WHERE, "--newer", help="A newer Blender than the file's will do too.")] = False
    device: Annotated[
        Literal["file", "cpu", "gpu", "any", "optix", "cuda", "hip", "metal", "oneapi"],
        option(
            WHERE,
            help="What Cycles renders on: as the file says, cpu, gpu, or one way to graphics cards; any mixes, and "
            "their noise differs.",
        ),
    ] = "file"
    version: Annotated[
        str, option(WHERE, metavar="VERSION", help="Render with this Blender, e.g. 4.5.9; usually the file's.")
    ] = ""
    addons: Annotated[
        list[str] | None,
        option(
            WHERE,
            "--addon",
            metavar="NAME[=VERSION]",
            help="An add-on that slaves enable for it; repeat for more.",
        ),
    ] = None
    approval: Annotated[bool, option(WHERE, "--approval", help="Pause after the first, middle and last frame.")] = False
    paused: Annotated[bool, option(WHERE, "--paused", help="Render nothing until you resume it.")] = False
    render_limit: Annotated[float | None, option(WHERE, metavar="SECONDS", help="A frame that takes longer hangs.")] = (
        None
    )
    silence_limit: Annotated[
        float | None, option(WHERE, metavar="SECONDS", help="A frame without progress for so long hangs.")
    ] = None
    order: Annotated[
        FrameOrder | None,
        option(
            WHERE,
            help="For what simulates and is not baked. in_order: one slave simulates and renders it from the start; "
            "any: send it as it is.",
        ),
    ] = None
    depends: Annotated[
        list[str] | None,
        option(
            WHERE,
            "--depends",
            metavar="WHAT",
            help="What its frames wait for, and find the files of: previous, 12 (all of job 12), 12/same, 12/3, "
            "or 121:/1-120 (frame 121 for 1 to 120 of its own); repeat for more.",
        ),
    ] = None

    @property
    def wanted_tags(self) -> list[str]:
        """The tags that are demanded."""
        return [*names(self.tags), *([peer_tag(self.on)] if self.on else [])]

    def values(self) -> dict[str, Any]:
        """Return members of the submission."""
        return {
            "name": self.name,
            "project": self.project,
            "comment": self.comment,
            "priority": self.priority,
            "max_slaves": self.max_slaves,
            "slaves": names(self.slaves),
            "not_slaves": names(self.not_slaves),
            "approval": self.approval,
            "paused": self.paused,
            **({} if self.order is None else {"order": self.order}),
            **({} if self.update is None else {"updates": number_of(self.update)}),
            "depends": [written(text) for text in self.depends or []],
            "limits": {"render_seconds": self.render_limit, "silence_seconds": self.silence_limit},
        }


@dataclass(frozen=True)
class Then:
    """What to do before and after."""

    blender: Annotated[Path | None, option(AFTER, metavar="PATH", help="The Blender that reads the file.")] = None
    anyway: Annotated[bool, option(AFTER, "--anyway", help="Also if no slave can render it now.")] = False
    wait: Annotated[bool, option(AFTER, "--wait", help="Follow the job until it ends.")] = False
    fetch: Annotated[
        Path | None, option(AFTER, metavar="FOLDER", help="Bring files here as frames finish (and wait).")
    ] = None
    dry_run: Annotated[bool, option(AFTER, "--dry-run", help="Say what would happen; send nothing.")] = False

    @property
    def follows(self) -> bool:
        """The command goes on until the job ends."""
        return self.wait or self.fetch is not None


def names(text: str) -> list[str]:
    """Return the words of a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _resolution(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise Malformed(f"“{text}” is no resolution.", hint="Write for example --resolution 1920x1080.")
    return int(width), int(height)
