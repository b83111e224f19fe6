"""Run ffmpeg, and hear how far it is."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farm.methods.combinesession import Tell
from farm.methods.inside.trouble import SLAVE, Trouble
from farm.methods.video.formats import Format
from farm.methods.video.inside.pictures import Sequence
from farm.sandbox.prepare import dies_with_parent

_FRAME = re.compile(rb"^frame=\s*(\d+)")


def encode(
    program: Path,
    form: Format,
    encoder: str,
    pictures: Sequence,
    sound: Path | None,
    settings: Mapping[str, Any],
    target: Path,
    tell: Tell,
) -> None:
    """Write a video.

    Args:
        program: ffmpeg.
        form: the kind of video.
        encoder: one of its encoders.
        pictures: what it shows.
        sound: what is heard; None: nothing. It is cut where the pictures end.
        settings: `fps`, `quality`.
        target: the file.
        tell: hears how far it is.

    Raises:
        Trouble: ffmpeg failed, with its last words.
    """
    argv = arguments(program, form, encoder, pictures, sound, settings, target)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, preexec_fn=dies_with_parent()
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if found := _FRAME.match(line):
                tell(min(1.0, int(found[1]) / pictures.count))
        process.wait()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    sys.stderr.write(said)
    if process.returncode or not target.is_file() or not target.stat().st_size:
        raise _trouble(process.returncode, said)


def arguments(
    program: Path,
    form: Format,
    encoder: str,
    pictures: Sequence,
    sound: Path | None,
    settings: Mapping[str, Any],
    target: Path,
) -> list[str]:
    """Return the command; see :func:`encode`."""
    fps = float(settings.get("fps") or 24.0)
    quality = settings.get("quality")
    linear = ["-apply_trc", "iec61966_2_1"] if pictures.linear else []
    heard = ["-i", str(sound), "-c:a", form.audio, "-map", "0:v", "-map", "1:a"] if sound else []
    return [
        str(program),
        *("-nostdin", "-hide_banner", "-loglevel", "warning", "-y", "-protocol_whitelist", "file,pipe"),
        *(*linear, "-f", "image2", "-framerate", f"{fps:.12g}", "-i", pictures.pattern),
        *heard,
        *form.picture(encoder, alpha=pictures.alpha, quality=None if quality is None else int(quality)),
        *("-t", f"{pictures.count / fps:.6f}", "-map_metadata", "-1", "-progress", "pipe:1"),
        str(target),
    ]


def _trouble(code: int, said: str) -> Trouble:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    text = f"ffmpeg ended with {code}: {' / '.join(lines[-3:]) or 'it said nothing'}"
    low = said.lower()
    return Trouble(text[:1500], SLAVE if code < 0 or "no space left" in low or "cannot allocate" in low else "job")
