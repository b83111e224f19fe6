"""Where the time of frames went."""

from __future__ import annotations

from datetime import datetime

from farm.protocol.base import Answer
from farm.words.steps import Step


class StepSpan(Answer):
    """When a step of a frame's way was: seconds since the job was submitted, and how long it took."""

    step: Step
    at: float
    seconds: float


class FrameTiming(Answer):
    """Where a frame's time went, from its submission to the first time that its files were fetched.

    `attempt` is that of its result, else the last one; None: there was none yet. `began`: when its
    job was submitted. What the slave told is placed between lease and result by the server's clock.
    """

    address: str
    began: datetime
    attempt: int | None
    slave: str | None
    spans: list[StepSpan]


class StepTotal(Answer):
    """One step of all frames that were looked at: how many had it, the median, and the sum, in seconds."""

    step: Step
    frames: int
    median: float
    total: float


class JobTiming(Answer):
    """Where the time of a job's frames went; steps of frames that render at once overlap.

    `frames`: how many were looked at, the newest results. Times in seconds since `began`, when the
    job was submitted; None: not yet. `home`: when the last of the results so far was first fetched.
    """

    address: str
    began: datetime
    frames: int
    queued: float | None
    first_lease: float | None
    first_result: float | None
    last_result: float | None
    home: float | None
    steps: list[StepTotal]
