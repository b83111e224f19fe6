"""A .blend rendered by a farm as an artist does it, and by Blender alone."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from farm.cli.bringhome import BringHome
from farm.cli.follow import Follower
from farm.client.upload import upload_missing
from farm.methods.base import Offered
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, Requirement, Submission
from farm.protocol.timing import StepSpan
from farm.words.steps import Step
from tests.bench.entry import OUT
from tests.blenders import blenders, run_inside
from tests.farm.farm import Farm

HERE = Path(__file__).parent
PERSISTENT = OUT.parent / "bench"
"""What parts leave for each other."""
PICTURES = "pictures"
"""Folder into which Blender alone renders, beside the .blend."""


@dataclass(frozen=True, slots=True)
class Project:
    """A .blend with what it uses, and the Blender that renders it."""

    source: Path
    frames: int
    blender: Offered

    @classmethod
    def make(cls, script: str, folder: Path, frames: int) -> Project:
        """Have a Blender make it."""
        blender = next(o for o in blenders() if o.launcher.kind == "program")
        source = folder.absolute() / script.replace("make_", "").replace(".py", ".blend")
        run_inside(blender, HERE / script, source.parent, str(source), str(frames))
        return cls(source, frames, blender)

    def alone(self, *arguments: str, log: Path | None = None) -> float:
        """Return the seconds that Blender's own command line takes; what it says goes into a file."""
        began = time.monotonic()
        command = [str(self.blender.launcher.program), "-b", str(self.source), *arguments]
        with (log or Path(os.devnull)).open("wb") as said:
            subprocess.run(command, check=True, stdout=said, stderr=subprocess.DEVNULL)
        return time.monotonic() - began

    def by_farm(self, farm: Farm, out: Path) -> tuple[int, float]:
        """Return job and seconds from submitting to the last file fetched."""
        began = time.monotonic()
        root = self.source.parent
        used = sorted(p for p in root.rglob("*") if p.is_file() and PICTURES not in p.relative_to(root).parts)
        hashed = {path: hash_file(path) for path in used}
        entries = [
            FileEntry(path=path.relative_to(root).as_posix(), sha256=sha256, size=size)
            for path, (sha256, size) in hashed.items()
        ]
        version = ".".join(self.blender.offer.version.split(".")[:2])
        wish = Submission(
            name=self.source.stem,
            requires=Requirement(method="blender", version=version, engine="CYCLES"),
            source=self.source.name,
            files=entries,
            frames=f"1-{self.frames}",
        )
        receiving = farm.client.submit(wish)
        upload_missing(farm.client, receiving, {sha256: path for path, (sha256, _) in hashed.items()}, lambda _: None)
        farm.client.queue(receiving.job)
        home = BringHome(farm.client, receiving.job, out)
        Follower(farm.client, receiving.job, quiet=True, on_done=home.bring).follow()
        took = time.monotonic() - began
        assert len(home.haul.fetched) == len(list(out.rglob("*.png"))) == self.frames
        return receiving.job, took


def spans(farm: Farm, job: int, step: Step) -> list[StepSpan]:
    """Return when a step was, of all frames that had it."""
    numbers = range(1, farm.client.job(job).counts.total + 1)
    timings = (farm.client.frame_timing(job, number) for number in numbers)
    return [span for timing in timings for span in timing.spans if span.step is step]


def slave(farm: Farm, name: str, blender: Offered) -> None:
    """Start a slave with one slot, and wait until it is in."""
    farm.start_slave(name, methods="blender", blender=str(blender.launcher.program))
    farm.until(lambda: any(s.name == name and s.state == "idle" for s in farm.client.slaves()), 60, f"{name} is in")
