"""Follow one frame until it ends."""

from __future__ import annotations

import time

from farm.cli.follow import PATIENCE
from farm.cli.output import emit, say
from farm.client.farmclient import FarmClient
from farm.protocol.jobs import FrameView
from farm.words.errors import JobFailed, Unavailable, Unreachable
from farm.words.states import FRAME_ENDED, FrameState

OFTEN = 1.0
"""Seconds between two looks at a frame: renderers say no more often how far they are."""


def watch_frame(client: FarmClient, job: int, frame: int, *, as_json: bool) -> None:
    """Print what becomes of a frame, line by line, until it ends.

    Args:
        client: a logged-in client.
        job: the job's number.
        frame: the frame's.
        as_json: print the whole frame each time.

    Raises:
        JobFailed: it ended, but is not done.
        Unreachable: the server stayed away for longer than ten minutes.
    """
    said, heard = "", time.monotonic()
    while True:
        try:
            view = client.frame(job, frame)
            heard = time.monotonic()
        except (Unreachable, Unavailable):
            if time.monotonic() - heard > PATIENCE:
                raise
            time.sleep(OFTEN)
            continue
        if (now := _line(job, view)) != said:
            said = now
            emit(view) if as_json else say(now)
        if view.state in FRAME_ENDED:
            break
        time.sleep(OFTEN)
    if view.state != FrameState.DONE:
        raise JobFailed(view.message or f"Frame {job}/{frame} is {view.state}.")


def _line(job: int, view: FrameView) -> str:
    """Return a frame in a line: `12/3 leased by ws01, 45%`."""
    who = f" by {view.slave}" if view.slave else ""
    far = f", {view.progress:.0%}" if view.progress and view.state == FrameState.LEASED else ""
    why = f": {view.message or view.waiting}" if view.message or view.waiting else ""
    return f"{job}/{view.frame} {view.state}{who}{far}{why}"
