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
        contents: by job, frame → attempt → the hash of the file that it returned.
        violations: what must never be, one sentence each.
        rendered: frames.
    """

    wanted: dict[int, int] = field(default_factory=dict)
    won: dict[int, dict[int, int]] = field(default_factory=dict)
    contents: dict[int, dict[int, dict[int, bytes]]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    rendered: int = 0

    def sent(self, job: int, frames: int) -> None:
        """Note a job."""
        if job in self.wanted:
            self.complain(f"Two jobs got number {job}.")
        self.wanted[job] = frames
        self.won[job] = {}

    def returned(self, job: int, frame: int, attempt: int, content: str) -> None:
        """Note the hash of a file that a slave returns."""
        frames = self.contents.setdefault(job, {})
        frames.setdefault(frame, {})[attempt] = bytes.fromhex(content)

    def came_out(self, job: int, frame: int, content: str) -> None:
        """Compare the hash of a job's file with what was sent: it is the accepted attempt's."""
        sent, won = self.contents.get(job, {}).get(frame, {}), self.won.get(job, {}).get(frame)
        found, file = bytes.fromhex(content), f"The file of frame {frame} of job {job}"
        if won is not None and sent.get(won) != found:
            self.complain(f"{file} is not the one of attempt {won}, which was accepted.")
        elif found not in sent.values():  # of some, a crash kept the answer
            self.complain(f"{file} is none that a slave sent.")

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
        self.contents.pop(job, None)
        self.rendered += pictures - len(self.won.pop(job))  # of some, a crash kept the answer
        if pictures != wanted:
            self.complain(f"Job {job} is done, but has {pictures} pictures for {wanted} frames.")

    def complain(self, *sentences: str) -> None:
        """Note violations; the same again counts once."""
        new = [one for one in dict.fromkeys(sentences) if one not in self.violations]
        self.violations += new[: max(0, MOST - len(self.violations))]
