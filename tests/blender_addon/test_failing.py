"""Why a job failed, as the panel says it."""

from __future__ import annotations

from typing import Any

import pytest

from blender_addon.comms.failing import reasons, sentences

GONE, FULL = "The image rust.png is missing.", "The disk of ws01 is full."


def failed(message: str, *pictures: int) -> list[dict[str, Any]]:
    return [{"message": message and f"Frame {one} of job 12: {message}", "picture": one} for one in pictures]


def test_each_reason_is_said_once_with_its_frames() -> None:
    told = sentences([*failed(GONE, 1, 2, 3, 7), *failed(FULL, 5), *failed("", 9)])
    assert told == [f"Frames 1-3,7: {GONE}", f"Frame 5: {FULL}", "Frame 9: no reason is known."]


def test_of_many_reasons_the_first_are_said() -> None:
    assert len(sentences([one for number in range(50) for one in failed(f"Reason {number}", number)])) == 4


@pytest.mark.parametrize(
    ("message", "count", "said"),
    [
        (f"Frame 2 of job 12: {GONE}", 2, [f"Frames 1-2: {GONE}"]),
        ("Two slaves failed.", 2, ["Two slaves failed.", f"Frames 1-2: {GONE}"]),
        ("Canceled by ada.", 0, ["Canceled by ada."]),
        ("", 0, []),
    ],
)
def test_a_job_says_nothing_that_its_frames_say_and_nothing_of_frames_that_were_tried_anew(
    message: str, count: int, said: list[str]
) -> None:
    view = {"message": message, "counts": {"failed": count}}
    assert reasons(view, sentences(failed(GONE, 1, 2))) == said
