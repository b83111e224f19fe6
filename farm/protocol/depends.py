"""What frames of a job wait for, as a message, and as a person writes it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from farm.protocol.base import Label, Request
from farm.words.errors import Malformed

RangeText = Annotated[str, Field(min_length=1, max_length=100_000, examples=["1-250x2,300"])]

_HINT = "Write for example previous, 12, 12/same, 12/3 or 121:/1-120; the frames that wait come first, with a colon."
_WRITTEN = re.compile(r"(?:(?P<frames>[\d,x-]+):)?(?P<on>distren://[^/]+/\d+|\d+)?(?:/(?P<needs>[^/]+))?")


class Dependency(Request):
    """Frames that wait until others are done, whose files they then find in `depends/<server>/<job>/<frame>/`.

    With `overlay`, all of the job's frames find them over the job's own files instead, under their own names: what they
    replace (the source, too) is not seen any more.

    Args:
        on: the job that they wait for: `12`, or `distren://home/12`, or a frame of it; empty: the job itself.
        frames: which wait; None: all of the job.
        needs: which they wait for; None: all of that job (of the job itself: all others).
        match: `all`: each waits for all of `needs`. `same`: for the frame with its own number. `previous`: for the one
            before it in the job. `each`: the first for the first of `needs` (or the first few), the second for the
            next, and so on.
        overlay: lay the files over the job's own; all of its frames wait for the same frames of another job then.
    """

    on: Label = ""
    frames: RangeText | None = None
    needs: RangeText | None = None
    match: Literal["all", "same", "previous", "each"] = "all"
    overlay: bool = False


def spelled(one: Dependency) -> str:
    """Return a dependency as a person would write it (see :func:`written`); `each` and `overlay` have no such form."""
    frames = f"{one.frames}:" if one.frames else ""
    if one.match == "previous":
        return f"{frames}previous"
    needs = "same" if one.match == "same" else one.needs or ("" if one.on else "all")
    how = (", one by one" if one.match == "each" else "") + (", laid over its files" if one.overlay else "")
    return f"{frames}{one.on}{'/' if needs else ''}{needs}{how}"


def written(text: str) -> Dependency:
    """Return what a person wrote: `[FRAMES:]previous`, `[FRAMES:]JOB`, `[FRAMES:][JOB]/(FRAMES|same|all)`.

    Raises:
        Malformed: it is none of these.
    """
    frames, colon, rest = text.rpartition(":") if not text.startswith("distren:") else ("", "", text)
    if rest == "previous":
        return Dependency(frames=frames or None, match="previous")
    found = _WRITTEN.fullmatch(text)
    if found is None or not (found["on"] or found["needs"]) or (colon and not found["frames"]):
        raise Malformed(f"“{text[:100]}” says nothing that frames could wait for.", hint=_HINT)
    on, needs = found["on"] or "", found["needs"]
    if needs == "same":
        return Dependency(on=on, frames=found["frames"], match="same")
    if needs is not None and needs != "all" and not re.fullmatch(r"[\d,x-]+", needs):
        raise Malformed(f"“{text[:100]}”: “{needs[:40]}” is neither frames, nor same, nor all.", hint=_HINT)
    return Dependency(on=on, frames=found["frames"], needs=None if needs == "all" else needs)
