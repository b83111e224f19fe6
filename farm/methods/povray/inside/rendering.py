"""Render one frame: one POV-Ray process."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.methods.inside.trouble import SLAVE, Trouble
from farm.methods.povray.inside.progress import Talk
from farm.methods.povray.shot import Shot
from farm.sandbox.prepare import dies_with_parent
from farm.words.errors import BadSetting

_NO_PROGRAMS = "[Shellout Security]\nforbidden\n"
_KILLED = 128
_FOUND = 5
"""Of so many frames at most, files are found by their names; POV-Ray takes about 20 folders to look in."""

Tell = Callable[..., None]
"""Sends an event to the slave."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where frames are rendered.

    Args:
        program: POV-Ray.
        libraries: folders that come with it.
        root: the job's tree, which is read-only.
        scratch: the session's own folder.
        keep: a folder that outlives the session, for frames that broke off; None: there is none.
        threads: how many POV-Ray uses.
        hands_on: what the scene itself writes is kept, beside the picture: later frames read it.
    """

    program: str
    libraries: Sequence[str]
    root: Path
    scratch: Path
    keep: Path | None
    threads: int
    hands_on: bool = False

    def prepare(self) -> None:
        """Forbid POV-Ray to start programs, whatever the machine's own settings say."""
        conf = self.scratch / ".povray" / "3.7" / "povray.conf"
        conf.parent.mkdir(parents=True, exist_ok=True)
        conf.write_text(_NO_PROGRAMS)
        (self.scratch / "none.ini").touch()


def render(room: Room, shot: Shot, order: dict[str, Any], say: Tell) -> dict[str, Any]:
    """Render a frame into its folder; go on where an earlier try broke off.

    Args:
        room: where.
        shot: what.
        order: `picture`, `number`, `output` (an empty folder), `depends` (folders with files of other frames).
        say: tells of progress.

    Returns:
        The facts of the `done` event.

    Raises:
        Trouble: no picture.
    """
    picture, output = int(order["picture"]), Path(order["output"])
    began = time.monotonic()
    files = _folder(room.scratch / "frame")
    kept = (room.keep or room.scratch / "kept") / str(int(order["number"]))
    kept.mkdir(parents=True, exist_ok=True)
    ini = room.scratch / "frame.ini"
    ini.write_text(_ini(room, shot, picture, kept, order.get("depends") or ()), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, talk = _run(room, ini, files, say)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        raise _trouble(code, talk.reason().replace(f"{room.root}/", ""), kept)
    return {
        "files": [*_home(kept, output, shot.suffix), *_written(room, files, output)],
        "seconds": time.monotonic() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
        "load_seconds": 0.0,
        # The largest of all frames so far; the slave's own measure is of now.
        "memory": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }


def _folder(path: Path) -> Path:
    """Make a folder anew: what one frame writes, the next one must not find."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _ini(room: Room, shot: Shot, picture: int, kept: Path, depends: Sequence[str]) -> str:
    try:
        lines = list(shot.lines(picture))
    except BadSetting as error:
        raise Trouble(" ".join(filter(None, (error.message, error.hint)))) from error
    folders = [*(str(room.root / folder) for folder in shot.libraries), *room.libraries]
    folders += _handed_on(room.root, depends)
    lines += [
        # By its name only: it is found in the first of the folders below, and errors name it as its artist does.
        f"Input_File_Name={_quoted(Path(shot.scene).name)}",
        f"Output_File_Name={_quoted(kept / (shot.output + shot.suffix))}",
        *(f"Library_Path={_quoted(os.path.normpath(folder))}" for folder in folders),
        f"Work_Threads={room.threads}",
        "Output_to_File=on",
        "Continue_Trace=on",
        "Display=off",
        "Verbose=on",
    ]
    return "\n".join(lines) + "\n"


def _handed_on(root: Path, depends: Sequence[str]) -> list[str]:
    """Return the folders in which a scene finds what other frames wrote by its name alone."""
    if len(depends) > _FOUND:
        return []  # they are found by their whole paths, which say whose they are
    folders = [root / folder for folder in depends]
    return [str(path) for folder in folders for path in (folder, *sorted(p for p in folder.glob("*") if p.is_dir()))]


def _written(room: Room, files: Path, output: Path) -> list[str]:
    """Move what the scene wrote beside the picture, into a folder of the picture's name: no other frame has it."""
    if not room.hands_on:
        return []
    picture = next(path for path in output.iterdir() if path.is_file())
    found = sorted(path for path in files.rglob("*") if path.is_file() and not path.is_symlink())
    targets = [output / picture.stem / path.relative_to(files) for path in found]
    for path, target in zip(found, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    return list(map(str, targets))


def _quoted(path: object) -> str:
    text = str(path)
    if '"' in text:
        raise Trouble(f"POV-Ray can't open “{text}”: there is a quotation mark in its name.")
    return f'"{text}"'


def _run(room: Room, ini: Path, cwd: Path, say: Tell) -> tuple[int, Talk]:
    """Run POV-Ray to its end; pass on what it says."""
    env = {**os.environ, "POVINI": str(room.scratch / "none.ini")}
    talk, told = Talk(), -1.0
    with subprocess.Popen(
        [room.program, str(ini), "-D", "-P"],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=dies_with_parent(),
    ) as process:
        assert process.stderr is not None
        while data := os.read(process.stderr.fileno(), 65536):
            _log(talk.feed(data))
            if talk.fraction >= told + 0.01:
                told = talk.fraction
                say("progress", fraction=told, remaining=None, memory=0)
        _log(talk.end())
    return process.returncode, talk


def _log(lines: list[bytes]) -> None:
    if lines:
        sys.stderr.buffer.write(b"\n".join(lines) + b"\n")
        sys.stderr.buffer.flush()


def _trouble(code: int, reason: str, kept: Path) -> Trouble:
    """Return what the end of a POV-Ray means: 1 is a word of its own, a signal is the machine's."""
    if code < 0:
        ended = f"POV-Ray was ended by signal {-code}"
        return Trouble(f"{ended}; most likely the memory ran out." if code == -9 else f"{ended}: it crashed.", SLAVE)
    shutil.rmtree(kept, ignore_errors=True)
    low = reason.lower()
    fault = SLAVE if "no space left" in low or "memory" in low or "bad_alloc" in low else "job"
    return Trouble(reason or f"POV-Ray ended with exit code {code}, and did not say why.", fault)


def _home(kept: Path, output: Path, suffix: str) -> list[str]:
    """Move the picture to where the slave looks for it; what a continuation needs is not needed any more."""
    pictures = sorted(path for path in kept.iterdir() if path.suffix.lower() == suffix)
    if len(pictures) != 1 or not pictures[0].stat().st_size:
        raise Trouble("POV-Ray ended well, but wrote no picture.", SLAVE)
    output.mkdir(parents=True, exist_ok=True)
    target = output / pictures[0].name
    shutil.move(pictures[0], target)
    shutil.rmtree(kept, ignore_errors=True)
    return [str(target)]
