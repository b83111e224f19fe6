"""What was found out about a .blend, in types, and what follows from it for a job.

The add-on and the command line describe a job by this same logic. Knows nothing of Blender.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import frames as frame_ranges
from . import outputs
from .outputs import Written

Device = Literal["", "cpu", "gpu", "any"]

DENOISING = "CYCLES+OIDN"
"""What slaves offer whose Cycles can denoise, beside the ids of their engines."""

FINISHING = {
    "denoising": "The denoiser looks over a tile's edge: it has to denoise the whole picture.",
    "compositor": "The compositor looks over a tile's edge: it has to work on the whole picture.",
    "format": "The file format can't be put together without loss: the whole picture has to be written in it.",
}
"""What is done with a picture once its tiles are put together, and why."""

_JOINED = ("PNG", "BMP", "TARGA", "OPEN_EXR", "OPEN_EXR_MULTILAYER")
"""Formats whose tiles are put together as they are, whatever else the file says."""

NAMED = 10
"""How many missing files are named one by one."""


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file that the .blend uses. `path`: its place in the job. `frames` None: every frame needs it."""

    path: str
    local: Path
    size: int
    kind: str
    frames: str | None


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that the .blend names and that is not there; `user` is the image, library … that names it.

    `library`: the library in which it can be mended; empty: the .blend itself.
    """

    path: Path
    kind: str
    user: str
    detail: str
    library: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.user}: {self.path}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class UsedAddon:
    """An add-on that nodes or engines are of; `user`: which. `sent`: with the job. `engines`: of scenes, its own."""

    name: str
    user: str
    sent: bool
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """A scene, as its artist left it. `movie`: its output is a video. `edit`: its strips are rendered.

    `device`: what Cycles renders on, `cpu` or `gpu`. `physics`: its simulations that are not baked, in words.
    `sound`: there is some. `untileable`: why its pictures have no tiles, each with the setting that may help.
    `finishing`: what has to be done with pictures whose tiles are put together, as keys of :data:`FINISHING`.
    `written`: all that it writes with each frame, its own picture first; `output_error`: why Blender can't name that.
    """

    name: str
    engine: str
    frame_start: int
    frame_end: int
    frame_step: int
    fps: float
    resolution_x: int
    resolution_y: int
    resolution_percentage: int
    format: str
    movie: bool
    camera: str
    needs_camera: bool
    edit: bool
    denoised: bool
    samples: int | None
    device: str
    physics: tuple[str, ...]
    output: str
    output_example: str
    output_error: str
    sound: bool
    untileable: tuple[tuple[str, str], ...]
    finishing: tuple[str, ...]
    written: tuple[Written, ...]

    def size(self, settings: dict[str, Any]) -> tuple[int, int]:
        """Return width and height of the pictures under a job's settings, in pixels."""
        percentage = int(settings.get("resolution_percentage") or self.resolution_percentage)
        width, height = (int(settings.get(name) or getattr(self, name)) for name in ("resolution_x", "resolution_y"))
        return percentage * width // 100, percentage * height // 100

    @property
    def frames(self) -> str:
        """The frame range; empty if the scene's ends before it begins."""
        numbers = range(max(0, self.frame_start), self.frame_end + 1, max(1, self.frame_step))
        return frame_ranges.text(numbers) if numbers else ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """All about a .blend.

    Args:
        version: `major.minor` of the Blender that saved it.
        looked_with: the version of the Blender that looked.
        source: the .blend's place in the job.
        root: the artist's folder that becomes the job's folder (empty: several drives).
        relocate: the value of the setting `relocate`.
        colours: the place of the artist's own colour configuration; empty: there is none.
        addons: those that its nodes and engines are of.
    """

    version: str
    looked_with: str
    source: str
    root: str
    files: tuple[UsedFile, ...]
    missing: tuple[MissingFile, ...]
    notes: tuple[str, ...]
    scene: SceneFacts
    scenes: tuple[SceneFacts, ...]
    cameras: tuple[str, ...]
    relocate: str
    colours: str = ""
    addons: tuple[UsedAddon, ...] = ()

    def chosen(self, scene: str | None) -> SceneFacts | None:
        """Return the scene with a name, or the one in front; None: there is no such scene."""
        return self.scene if not scene else next((s for s in self.scenes if s.name == scene), None)

    def engine(self, settings: dict[str, Any]) -> str:
        """Return the engine that a slave must offer, under a job's settings."""
        scene = self.chosen(settings.get("scene")) or self.scene
        engine = str(settings.get("engine") or scene.engine)
        denoised = settings.get("denoising")
        wanted = scene.denoised if denoised is None else bool(denoised)
        return DENOISING if engine == "CYCLES" and wanted else engine

    def device(self, settings: dict[str, Any], wish: str) -> Device:
        """Return the class of devices that all frames are rendered on.

        Args:
            settings: the job's.
            wish: the submitter's: `file`, `cpu`, `gpu` or `any`.
        """
        wishes: dict[str, Device] = {"cpu": "cpu", "gpu": "gpu", "any": "any"}
        scene = self.chosen(settings.get("scene")) or self.scene
        of_file = wishes.get(scene.device, "cpu") if self.engine(settings).startswith("CYCLES") else ""
        return wishes.get(wish, of_file)

    def completed(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return a job's settings with those that the file decides.

        The scene is named even if it is the one in front, so that the job says what it renders.
        """
        places = {} if self.relocate == "{}" else {"relocate": self.relocate}
        colours = {"colours": self.colours} if self.colours else {}
        sent = ",".join(addon.name for addon in self.addons if addon.sent)
        addons = {"sent_addons": sent} if sent else {}
        scene = self.chosen(settings.get("scene")) or self.scene
        said = outputs.setting(scene.written, scene.format if scene.movie else "")
        return {
            "scene": self.scene.name,
            **settings,
            **places,
            **colours,
            **addons,
            **({"outputs": said} if said else {}),
        }

    def requires(self, settings: dict[str, Any], wish: str, *, newer: bool) -> dict[str, Any]:
        """Return what a slave must have to render a job: the members of the protocol's Requirement.

        An engine whose add-on is sent along is none of these.

        Args:
            settings: the job's.
            wish: the submitter's device: `file`, `cpu`, `gpu` or `any`.
            newer: a newer Blender will do too.
        """
        engine = self.engine(settings)
        brought = {name for addon in self.addons if addon.sent for name in addon.engines}
        return {
            "method": "blender",
            "version": self.version,
            "newer": newer,
            "engine": "" if engine in brought else engine,
            "device": self.device(settings, wish),
        }

    def problems(self, settings: dict[str, Any]) -> list[str]:
        """Return what stops a job with these settings, one sentence each."""
        scene = self.chosen(settings.get("scene"))
        if scene is None:
            names = ", ".join(s.name for s in self.scenes)
            return [f"The file has no scene “{settings['scene']}”. It has: {names}."]
        found = [] if settings.get("allow_missing") else self._missing()
        camera = settings.get("camera")
        if camera and camera not in self.cameras:
            found.append(f"The file has no camera “{camera}”. It has: {', '.join(self.cameras) or 'none'}.")
        elif scene.needs_camera and not camera:
            found.append(f"The scene “{scene.name}” has no camera.")
        return [*found, *self._written(scene)]

    def untileable(self, settings: dict[str, Any]) -> list[str]:
        """Return why pictures can't be put together from tiles, one sentence each.

        What a setting changes is looked at when the file is opened to be rendered.
        """
        scene = self.chosen(settings.get("scene")) or self.scene
        return [text for name, text in scene.untileable if not name or settings.get(name) is None]

    def finishing(self, settings: dict[str, Any]) -> list[str]:
        """Return what has to be done with whole pictures once their tiles are put together, a sentence each."""
        scene = self.chosen(settings.get("scene")) or self.scene
        needed = {name: name in scene.finishing for name in FINISHING}
        if settings.get("format") is not None:
            needed["format"] = settings["format"] not in _JOINED
        for told in ("denoising", "scene.cycles.use_denoising"):
            if settings.get(told) is not None:
                needed["denoising"] = _true(settings[told])
        needed["compositor"] &= _true(settings.get("scene.render.use_compositing", True))
        return [FINISHING[name] for name, is_so in needed.items() if is_so]

    def warnings(self, settings: dict[str, Any]) -> list[str]:
        """Return what a person should know of a job with these settings, one sentence each."""
        scene = self.chosen(settings.get("scene")) or self.scene
        found = list(self.notes)
        found += [f"The add-on {one.name} is sent along: {one.user} is of it." for one in self.addons if one.sent]
        if settings.get("allow_missing"):
            found += self._missing()
        if scene.movie and not settings.get("format"):
            found.append(f"The output of “{scene.name}” is a video ({scene.format}): its frames are rendered as PNG.")
        if scene.edit:
            found.append(f"The scene “{scene.name}” renders the edit: its sequencer strips, not its 3D view.")
        if not self.looked_with.startswith(f"{self.version}."):
            found.append(f"The file is of Blender {self.version}, but was looked at with {self.looked_with}.")
        return found

    def physics(self, settings: dict[str, Any], order: str | None) -> list[str]:
        """Return what stops a job whose scene simulates, as long as its submitter did not choose; a sentence, or none.

        Args:
            settings: the job's.
            order: what the submitter chose; None: nothing yet.
        """
        scene = self.chosen(settings.get("scene")) or self.scene
        if order is not None or not scene.physics:
            return []
        named = ", ".join(scene.physics[:NAMED]) + (" and more" if len(scene.physics) > NAMED else "")
        return [
            f"The scene “{scene.name}” simulates what is not baked: {named}. Rendered by several slaves it would "
            "come out wrong."
        ]

    @staticmethod
    def _written(scene: SceneFacts) -> list[str]:
        error = [f"The output path of “{scene.name}” is wrong: {scene.output_error}"] if scene.output_error else []
        ends = (scene.frame_start, scene.frame_end)
        return [*error, *outputs.unfit(scene.written), *outputs.clashes(scene.written, ends)]

    def mended_in(self, problem: str) -> str:
        """Return the library in which a missing file that is a problem can be mended; empty: in none."""
        return next((file.library for file in self.missing[:NAMED] if problem == _told(file)), "")

    def _missing(self) -> list[str]:
        named = [_told(file) for file in self.missing[:NAMED]]
        more = len(self.missing) - NAMED
        return [*named, f"Missing: {more} more files."] if more > 0 else named


def _told(missing: MissingFile) -> str:
    return f"Missing: {missing}."


def _true(value: Any) -> bool:
    """Tell whether a setting is on; those by paths may be texts."""
    return str(value).lower() not in ("false", "off", "no", "0")


def from_report(report: dict[str, Any], version: str) -> Inspection:
    """Return the collector's report in types.

    Args:
        report: the collector's.
        version: `major.minor` of the Blender that saved the file.
    """
    files = tuple(map(_file, report["files"]))
    source = next(f.path for f in files if f.local == Path(report["source"]))
    return Inspection(
        version=version,
        looked_with=".".join(map(str, report["blender"])),
        source=source,
        root=report["root"],
        files=files,
        missing=tuple(MissingFile(**{**m, "path": Path(m["path"])}) for m in report["missing"]),
        notes=tuple(report["warnings"]),
        scene=_scene(report["scene"]),
        scenes=tuple(map(_scene, report["scenes"])),
        cameras=tuple(report["cameras"]),
        relocate=json.dumps(report["relocate"]),
        colours=report["colours"],
        addons=tuple(UsedAddon(**{**one, "engines": tuple(one["engines"])}) for one in report["addons"]),
    )


def _scene(facts: dict[str, Any]) -> SceneFacts:
    written = tuple(Written(**one) for one in facts["written"])
    untileable = tuple((name, text) for name, text in facts["untileable"])
    plain = {name: tuple(facts[name]) for name in ("physics", "finishing")}
    return SceneFacts(**{**facts, **plain, "untileable": untileable, "written": written})


def _file(entry: dict[str, Any]) -> UsedFile:
    return UsedFile(entry["place"], Path(entry["path"]), entry["size"], entry["kind"], _frames(entry["frames"]))


def _frames(spans: list[list[int]] | None) -> str | None:
    """Return joined spans as a range text; None if they are all frames."""
    if spans is None:
        return None
    joined: list[list[int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in joined)
