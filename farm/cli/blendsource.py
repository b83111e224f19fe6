"""From a .blend to a draft: its files, range, scene and engine, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from blender_addon.inspection import Inspection
from blender_addon.outputs import numbered
from farm.cli.draft import Draft, LocalFile, Picture, wanted_frames
from farm.cli.output import stderr
from farm.cli.renderers import found_blenders
from farm.methods.blender.describe import description
from farm.methods.blender.inspect import inspect
from farm.methods.parameters import title
from farm.methods.settings import checked_settings
from farm.protocol.jobs import ParameterSet, Requirement
from farm.words.errors import BadSetting
from farm.words.ranges import FrameRange
from farm.words.settings import ClientSettings


def blend_draft(
    source: Path,
    frames: str | None,
    wishes: dict[str, Any],
    values: dict[str, Any],
    *,
    newer: bool,
    settings: ClientSettings,
    device: str = "file",
    sets: Sequence[ParameterSet] = (),
) -> Draft:
    """Return the draft of a job that renders a .blend; see :func:`farm.cli.sources.draft_for`."""
    wanted = FrameRange.pictures(frames) if frames is not None else None
    with stderr().status(f"Looking what {source.name} uses …"):
        found = inspect(source, found_blenders(settings), wanted)
    chosen, wrong = _settings(found, wishes)
    scene = found.chosen(chosen.get("scene")) or found.scene
    text, empty = _frames(found, frames, chosen)
    each = [(one, {**chosen, **one.settings}) for one in sets]
    needs, mixed = _needs(found, [settings for _, settings in each] or [chosen], device, newer=newer)
    of_sets = [f"{title(one)}: {text}" for one, own in each for text in found.problems(own)]
    return Draft(
        requires=needs,
        settings=chosen,
        sets=list(sets),
        frames=text,
        source=found.source,
        files=[LocalFile(file.path, file.local, file.frames) for file in found.files],
        values={**values, "name": values.get("name") or source.stem},
        problems=[*wrong, *mixed, *(of_sets or found.problems(chosen)), *empty],
        warnings=found.warnings(chosen),
        picture=_picture(found, chosen),
        fps=scene.fps,
        size=scene.size(chosen),
        sound=scene.sound,
        untileable=_of_any(found.untileable, chosen, each),
        finishing=_of_any(found.finishing, chosen, each),
        unbaked=list(scene.physics),
        unready=_physics(found, chosen, values),
    )


def _of_any(
    said: Callable[[dict[str, Any]], list[str]], chosen: dict[str, Any], each: list[tuple[ParameterSet, dict[str, Any]]]
) -> list[str]:
    """Return what is said of a job's pictures, in whichever set; each sentence once."""
    all_of = [settings for _, settings in each] or [chosen]
    return list(dict.fromkeys(text for settings in all_of for text in said(settings)))


def _picture(found: Inspection, settings: dict[str, Any]) -> Picture | None:
    """Return what the scene's own pictures are called; without suffix, where a format is wished for."""
    scene = found.chosen(settings.get("scene")) or found.scene
    if not scene.written:
        return None
    own = scene.written[0]
    own = replace(own, suffix="") if settings.get("format") else own
    return Picture(own.home, own.name, lambda number: numbered(own, number))


def _needs(found: Inspection, each: list[dict[str, Any]], device: str, *, newer: bool) -> tuple[Requirement, list[str]]:
    """Return what a slave must have for all of a job's sets, and why there can be none."""
    all_of = [Requirement.model_validate(found.requires(settings, device, newer=newer)) for settings in each]
    engines = {needs.engine for needs in all_of}
    # Who denoises renders without it, too.
    widest = max(all_of, key=lambda needs: len(needs.engine))
    if len({engine.partition("+")[0] for engine in engines}) > 1:
        text = f"The sets would be rendered by several engines ({', '.join(sorted(engines))})."
        return widest, [f"{text} Make a job for each."]
    return widest, []


def _settings(found: Inspection, wishes: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings in their types, and what is wrong with them."""
    problems: list[str] = []
    settings: dict[str, Any] = {}
    for name, value in wishes.items():
        try:
            settings |= checked_settings(description(), {name: value})
        except BadSetting as error:
            problems.append(" ".join(filter(None, (error.message, error.hint))))
    return found.completed(settings), problems


def _physics(found: Inspection, settings: dict[str, Any], values: dict[str, Any]) -> list[str]:
    advice = (
        "Let a slave bake it first (--bake), or bake it here (`distren bake FILE`, or in Blender) and submit again; or "
        "choose --order in_order (one slave simulates and renders it from the start), or --order any (send it as it "
        "is)."
    )
    return [f"{sentence} {advice}" for sentence in found.physics(settings, values.get("order"))]


def _frames(found: Inspection, given: str | None, settings: dict[str, Any]) -> tuple[str, list[str]]:
    scene = found.chosen(settings.get("scene")) or found.scene
    if given is None and not scene.frames:
        text = f"The scene “{scene.name}” has an empty frame range ({scene.frame_start} to {scene.frame_end})."
        return "0", [f"{text} Say which frames: --frames 1-100."]
    return wanted_frames(given, scene.frames), []
