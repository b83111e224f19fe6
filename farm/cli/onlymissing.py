"""`--only-missing`: of a draft, only the frames whose pictures are not at home."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from blender_addon.places import lacking
from farm.cli.draft import Draft
from farm.cli.output import notice
from farm.words.errors import Refused
from farm.words.ranges import FrameRange


def only_missing(draft: Draft, folder: Path | None) -> Draft:
    """Return the draft of those frames only whose pictures are missing.

    Args:
        draft: a .blend's.
        folder: where the pictures are; None: where the .blend puts them.

    Raises:
        Refused: all are there, or nobody knows what they are called.
    """
    picture = draft.picture
    if picture is None or draft.sets or "{" in picture.name:
        hint = "--only-missing is for .blend files whose names have no {…}, without parameter sets."
        raise Refused("What the pictures will be called is not known here.", hint=hint)
    place = str(folder or picture.home)
    numbers = FrameRange.parse(draft.frames)
    left = lacking(place, {number: picture.of(number) for number in numbers})
    if not left:
        raise Refused(f"All {len(numbers)} pictures are in {place}: there is nothing to render.")
    notice(f"{len(left)} of {len(numbers)} frames have no picture in {place}.")
    return replace(draft, frames=str(FrameRange.of(left)))
