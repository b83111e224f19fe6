"""What one submission may be at most."""

from __future__ import annotations

from dataclasses import dataclass

from farm.words.ranges import LIMIT


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of a server.

    Args:
        frames: the most frames of a job.
        file_bytes: the largest file.
        result_bytes: the largest result of a frame, all files together.
        grace: seconds that files are kept after the last job that used them was deleted.
    """

    frames: int = LIMIT
    file_bytes: int = 200_000_000_000
    result_bytes: int = 8_000_000_000
    grace: float = 24 * 3600
