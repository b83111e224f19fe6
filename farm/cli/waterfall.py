"""`show --timing`: where the time of a frame, or of all frames of a job, went."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from farm.cli.output import emit, say, span, stdout
from farm.client.farmclient import FarmClient
from farm.protocol.timing import FrameTiming, JobTiming, StepSpan
from farm.words.steps import Step

WIDTH = 48
"""Characters of the longest bar."""

STYLES = {Step.RENDER: "green", Step.PREPARE: "cyan", Step.LOAD: "cyan", Step.START: "cyan", Step.IDLE: "red"}
"""Drawing is what a farm is for, the renderer's other work may be needed; the rest is in yellow."""


def show_timing(client: FarmClient, job: int, frame: int | None, *, as_json: bool) -> None:
    """Print where the time went.

    Args:
        client: a logged-in client.
        job: the job's number.
        frame: one of its frames; None: all of them together.
        as_json: as the server said it.
    """
    answer = client.job_timing(job) if frame is None else client.frame_timing(job, frame)
    if as_json:
        emit(answer)
    elif isinstance(answer, FrameTiming):
        _waterfall(answer)
    else:
        _totals(answer)


def _waterfall(timing: FrameTiming) -> None:
    where = f", attempt {timing.attempt} on {timing.slave}" if timing.attempt is not None else ", not begun"
    say(f"Frame {timing.address.removeprefix('distren://')}{where}; seconds since its job was submitted")
    spans = sorted(timing.spans, key=lambda one: (one.at, list(Step).index(one.step)))
    # What comes after the frame is done may be days.
    end = max((one.at + one.seconds for one in spans if one.step is not Step.HOME), default=0.0)
    grid = _grid("step", "at", "seconds", "")
    for one in spans:
        grid.add_row(one.step.value, f"{one.at:.3f}", f"{one.seconds:.3f}", _bar(one, end))
    stdout().print(grid)


def _bar(one: StepSpan, end: float) -> Text:
    scale = WIDTH / end if end else 0.0
    begin, stop = min(WIDTH, round(one.at * scale)), min(WIDTH, round((one.at + one.seconds) * scale))
    return Text(" " * begin + ("█" * (stop - begin) or "▏"), style=STYLES.get(one.step, "yellow"))


def _totals(timing: JobTiming) -> None:
    say(f"Job {timing.address.removeprefix('distren://')}: {timing.frames} finished frames, step by step")
    grid = _grid("step", "frames", "median", "sum", "")
    longest = max((one.total for one in timing.steps if one.step not in _WAITING), default=0.0)
    for one in timing.steps:
        part = "" if one.step in _WAITING or not longest else "█" * round(WIDTH * one.total / longest)
        bar = Text(part, style=STYLES.get(one.step, "yellow"))
        grid.add_row(one.step.value, str(one.frames), f"{one.median:.3f} s", span(one.total), bar)
    stdout().print(grid)
    say("; ".join(_milestones(timing)))


_WAITING = (Step.SUBMIT, Step.QUEUE, Step.WAIT, Step.HOME)
"""Frames wait all at once: the sum of that says nothing."""


def _milestones(timing: JobTiming) -> Iterable[str]:
    named = {
        "queued": timing.queued,
        "first lease": timing.first_lease,
        "first result": timing.first_result,
        "last result": timing.last_result,
        "home": timing.home,
    }
    return (f"{name} after {seconds:.2f} s" for name, seconds in named.items() if seconds is not None)


def _grid(*titles: str) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for place, title in enumerate(titles):
        grid.add_column(title, justify="right" if 0 < place < len(titles) - 1 else "left", no_wrap=True)
    return grid
