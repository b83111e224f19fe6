"""The steps of a frame's way, and the text in which a slave tells when each of them was.

A trace is one short text, `wait:0+512 fetch:40+3500 render:4100+30400210`: per step its begin
and its length, both in µs since the slave got the frame. So the clocks of slave and server
need not agree, and the server keeps the text as it came: nothing is parsed before somebody looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 400
"""Characters of a trace: more than all steps need."""

PATTERN = r"^([a-z]{1,12}:\d{1,13}\+\d{1,13}( |$)){0,16}$"
"""What a trace looks like; thirteen digits of µs are four months."""

_ONE = re.compile(r"([a-z]{1,12}):(\d{1,13})\+(\d{1,13})")


class Step(StrEnum):
    """A step of a frame's way, in the order in which they usually come."""

    SUBMIT = "submit"
    """Its job's files travel to the server. By the server's clock."""
    QUEUE = "queue"
    """Waits on the server for a slave. By the server's clock."""
    WAIT = "wait"
    """Waits on the slave for a slot."""
    FETCH = "fetch"
    """The job's description and the files that the frame needs come to the slave."""
    START = "start"
    """A renderer starts; once for many frames."""
    LOAD = "load"
    """The renderer opens the job's file; once for many frames."""
    IDLE = "idle"
    """The renderer has nothing to do between the frame before and this one."""
    PREPARE = "prepare"
    """The renderer makes the scene ready: geometry, textures, shaders."""
    RENDER = "render"
    """The renderer draws."""
    WRITE = "write"
    """The renderer composites and writes the picture."""
    COMPARE = "compare"
    """The frame is rendered again without what was kept, and compared; for few frames of a job."""
    CHECK = "check"
    """The picture is decoded and checked, the thumbnail made, all packed, while the next frame renders."""
    UPLOAD = "upload"
    """The result travels to the server, if it is too large to ride inside the report."""
    REPORT = "report"
    """The slave tells of it, and the server commits: what is left until the frame is done."""
    HOME = "home"
    """Waits until somebody fetched its files. By the server's clock."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a step was: begin and length, in µs."""

    step: Step
    at: int
    length: int

    @property
    def end(self) -> int:
        """When it was over."""
        return self.at + self.length


def written(spans: Iterable[Span]) -> str:
    """Return spans as a trace."""
    return " ".join(f"{span.step}:{max(0, span.at)}+{max(0, span.length)}" for span in spans)


def read(trace: str) -> Iterator[Span]:
    """Yield the spans of a trace; a newer slave's unknown steps are left out."""
    for name, at, length in _ONE.findall(trace[:LONGEST]):
        if name in set(Step):
            yield Span(Step(name), int(at), int(length))
