"""Slaves, as people see them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from farm.protocol.base import Answer
from farm.protocol.errands import ErrandOrder
from farm.protocol.points import Cause
from farm.protocol.slaves import Hardware, Offer
from farm.protocol.terms import Terms
from farm.protocol.upgrades import UpgradeView
from farm.words.states import SlaveState


class Reliability(Answer):
    """How far a slave can be relied on.

    Args:
        value: the fraction of its attempts that will at least succeed, but for one case in 20.
        good, bad: its accepted results and failures by its own fault, those long ago counting less.
        probation: it gets single frames only; in profile `open`.
        passed, undecided: spot checks of its results that another slave drew the same, and those without a verdict.
        doubted: those that others drew otherwise, and an admin has to judge.
    """

    value: float
    good: float
    bad: float
    probation: bool
    passed: int = 0
    undecided: int = 0
    doubted: int = 0


class Measuring(Answer):
    """A benchmark that goes on: which job it is, how many frames are done, and how much of it all (0 to 1).

    `method`: on graphics cards `METHOD/WAY` (`blender/optix`).
    """

    job: int
    method: str
    cause: Cause
    done: int
    frames: int
    progress: float


class SlaveView(Answer):
    """A slave, as people see it. `terms`: what its owner lends of it, by the server's word and by slave.conf's."""

    name: str
    owner: str
    state: SlaveState
    version: str
    slots: int
    hardware: Hardware | None
    offers: list[Offer]
    last_seen: datetime | None
    running: list[str]
    frames_done: int
    message: str
    build: str = ""
    upgrade: UpgradeView | None = None
    reliability: Reliability | None = None
    tags: list[str] = Field([], description="Words that jobs may demand: its own, and those that an admin gave it.")
    pool: str = Field("", description="The pool that it is in; empty: none.")
    errand: ErrandOrder | None = None
    terms: Terms = Terms()
    measuring: Measuring | None = None
