"""An artist with a Blender and the `distren` command, beside a real farm."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from farm.client.farmclient import FarmClient
from farm.client.upload import upload_missing
from farm.methods.base import Offered
from farm.methods.blender.command import PACKAGE
from farm.package.hashing import hash_file
from farm.protocol.jobs import FileEntry, Requirement, Submission
from tests.blenders import HOME, run_inside
from tests.farm.farm import Farm, Process


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The standard output as JSON."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """All that a person reads, on one line."""
        return " ".join((self.out + " " + self.err).split())


class Artist:
    """Runs commands as a stranger would: as processes, with a home of its own."""

    def __init__(self, farm: Farm, blender: Offered, home: Path) -> None:
        (home / "cache" / "distren").mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / "tried.json", home / "cache" / "distren" / "renderers.json")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DISTREN_")}
        homes = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        own = {"DISTREN_SERVER": farm.url, "DISTREN_TOKEN": farm.token, "COLUMNS": "200"}
        self.variables = {**clean, **homes, **own, **{f"DISTREN_{k.upper()}": v for k, v in renderer(blender).items()}}

    @contextlib.contextmanager
    def starts(self, *words: object) -> Iterator[subprocess.Popen[str]]:
        """Start a command; kill it at the end if it still runs."""
        argv = [sys.executable, "-m", "farm.cli.main", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        with subprocess.Popen(argv, env=self.variables, text=True, **pipes) as process:  # type: ignore[call-overload]
            try:
                yield process
            finally:
                process.kill()

    def says(self, *words: object, seconds: float = 90) -> Said:
        """Run a command to its end."""
        with self.starts(*words) as process:
            out, err = process.communicate(timeout=seconds)
        return Said(process.returncode, out, err)

    def submits(self, *words: object) -> int:
        """Submit a file that is good; return the job's number."""
        said = self.says("submit", *words, "--json")
        assert said.code == 0, said
        return int(said.json["job"])


def renderer(blender: Offered) -> dict[str, str]:
    """Return the setting that names a Blender, for commands and slaves alike."""
    return {"bpy" if blender.launcher.kind == PACKAGE else "blender": str(blender.launcher.program)}


def submit_unchecked(
    client: FarmClient, blend: Path, blender: Offered, frames: str = "1-2", engine: str = "CYCLES", **more: Any
) -> int:
    """Send a .blend as it is, past all that the command would have found."""
    project = blend.parent.parent
    paths = [path for path in (blend, project / "assets" / "wood.png") if path.exists()]
    files = {
        path: FileEntry(path=path.relative_to(project).as_posix(), sha256=hash_file(path)[0], size=hash_file(path)[1])
        for path in paths
    }
    submission = Submission(
        name=blend.stem,
        requires=Requirement(method="blender", version=".".join(blender.offer.version.split(".")[:2]), engine=engine),
        settings=more,
        frames=frames,
        source=files[blend].path,
        files=list(files.values()),
    )
    receiving = client.submit(submission)
    upload_missing(client, receiving, {entry.sha256: path for path, entry in files.items()}, lambda _count: None, 1)
    client.queue(receiving.job)
    return receiving.job


def pixels(path: Path) -> tuple[Any, ...]:
    """Return a picture's size, mode and pixels."""
    with Image.open(path) as image:
        return image.size, image.mode, image.tobytes()


def metadata(path: Path) -> Mapping[str, Any]:
    """Return what Blender wrote into a picture beside its pixels."""
    with Image.open(path) as image:
        return {str(name): value for name, value in image.info.items()}


def rendered_at_home(blender: Offered, blend: Path, frames: list[int], folder: Path) -> None:
    """Render frames as the artist would: blender -b file -f N; the package has no such command line."""
    if blender.launcher.kind == PACKAGE:
        script = Path(__file__).parent / "make_home_render.py"
        run_inside(blender, script, folder / "scratch", str(blend), str(folder), *map(str, frames))
        return
    argv = [
        str(blender.launcher.program),
        "-b",
        "--factory-startup",
        "-noaudio",
        str(blend),
        "-o",
        f"{folder}/film_###",
    ]
    for frame in frames:
        argv += ["-f", str(frame)]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)


def start_slave(farm: Farm, name: str, blender: Offered, **more: str) -> Process:
    """Start a slave, and wait until the farm knows it."""
    state = farm.folder / name / "state"
    state.mkdir(parents=True, exist_ok=True)
    shutil.copy(HOME / "tried.json", state / "renderers.json")  # trying each anew takes seconds
    slave = farm.start_slave(name, **{"methods": "blender", **renderer(blender), **more})
    farm.until(lambda: any(s.name == name and s.state != "offline" for s in farm.client.slaves()), 60, f"{name} is up")
    return slave
