"""The job before a job: it bakes what simulates in a .blend, and the others render what it made of it."""

from __future__ import annotations

from dataclasses import replace

from farm.cli import combining
from farm.cli.draft import Draft
from farm.cli.output import notice
from farm.protocol.depends import Dependency
from farm.protocol.jobs import JobView, Limits, Requirement
from farm.words.errors import Malformed
from farm.words.ranges import FrameRange

LONGEST = 7 * 86_400.0
"""Seconds that a bake may take: it is one frame, and may be a night's work. One that stands still is ended anyway."""

HAIR = "hair dynamics"
"""What Blender bakes, but does not render then."""

_SETTINGS = ("scene", "relocate", "colours", "allow_missing")
"""What of a job's settings says how its file is opened."""


def needed(draft: Draft) -> bool:
    """Tell whether something of a draft can be baked; say it if there is nothing.

    Raises:
        Malformed: it is none that is baked, or the person wants something else, too.
    """
    if draft.unbaked is None:
        raise Malformed("--bake is for a .blend file.", hint="Leave it out.")
    if "order" in draft.values:
        raise Malformed("--bake and --order are two ways to render what simulates.", hint="Leave one of them out.")
    scenes = {one.settings.get("scene", draft.settings["scene"]) for one in draft.sets} - {draft.settings["scene"]}
    if scenes:
        text = f"One bake is of one scene, but sets render {', '.join(sorted(map(str, scenes)))}, too."
        raise Malformed(text, hint="Make a job for each scene.")
    if not draft.unbaked:
        notice("Nothing simulates in it that is not baked: it needs no bake.")
    return bool(draft.unbaked)


def baking(draft: Draft) -> Draft:
    """Return the job that bakes; its one frame has the number of the last one that is rendered."""
    hair = [what for what in draft.unbaked or () if what.startswith(HAIR)]
    advice = "Blender renders none that is baked: let one slave render it (--order in_order), or switch it off."
    own = {name: value for name, value in draft.settings.items() if name in _SETTINGS}
    return Draft(
        requires=Requirement.model_validate(draft.requires.model_dump() | {"engine": "", "device": ""}),
        settings={**own, "bake": True},
        frames=str(FrameRange.pictures(draft.frames).last),
        source=draft.source,
        files=[replace(file, frames=None) for file in draft.files],
        values={
            **combining.plain(draft),
            "name": f"{draft.values['name']} (bake)",
            "paused": draft.values.get("paused", False),
            "limits": Limits(render_seconds=LONGEST),
        },
        problems=[*draft.problems, *([f"There is {', '.join(hair)}. {advice}"] if hair else [])],
    )


def baked(draft: Draft, job: JobView | None) -> Draft:
    """Return the job that renders what was baked.

    Args:
        draft: the pictures, or their tiles.
        job: the bake; None: it is not there yet.
    """
    bake = [Dependency(on=str(job.job), overlay=True)] if job else []
    depends = [*bake, *draft.values.get("depends", ())]
    return replace(draft, values={**draft.values, "depends": depends, "paused": False})
