"""What a simulated farm saw with its own eyes, beside what the database says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST = 100
"""Sentences that are kept."""


@dataclass(slots=True)
class Witness:
    """Counts what slaves were told of their results, and complains.

    Args:
        wanted: frames of each job that goes on.
        won: by job, frame → the attempt that was accepted.
        violations: what must never be, one sentence each.
        rendered: frames.
    """

    wanted: dict[int, int] = field(default_factory=dict)
    won: dict[int, dict[int, int]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    rendered: int = 0

    def sent(self, job: int, frames: int) -> None:
        """Note a job."""
        if job in self.wanted:
            self.complain(f"Two jobs got number {job}.")
        self.wanted[job] = frames
        self.won[job] = {}

    def accepted(self, job: int, frame: int, attempt: int) -> None:
        """Note that a result counts."""
        won = self.won.get(job)
        if won is None:
            return
        before = won.get(frame)
        if before is None:
            won[frame] = before = attempt
            self.rendered += 1
        if before != attempt:
            self.complain(f"Frame {frame} of job {job} was accepted of attempt {before}, and of attempt {attempt}.")

    def home(self, job: int, pictures: int) -> None:
        """Note that a job is done, and how many pictures it has."""
        wanted = self.wanted.pop(job, pictures)
        self.rendered += pictures - len(self.won.pop(job))  # of some, a crash kept the answer
        if pictures != wanted:
            self.complain(f"Job {job} is done, but has {pictures} pictures for {wanted} frames.")

    def complain(self, *sentences: str) -> None:
        """Note violations; the same again counts once."""
        new = [one for one in dict.fromkeys(sentences) if one not in self.violations]
        self.violations += new[: max(0, MOST - len(self.violations))]
