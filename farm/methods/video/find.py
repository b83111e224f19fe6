"""Find ffmpeg, and what it can encode."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from farm.methods.base import Launcher, MethodConfig, Offered
from farm.methods.video.formats import FORMATS, Format
from farm.protocol.slaves import Offer
from farm.words.errors import NotASetup

SECONDS = 20.0
"""The longest that it may take to say what it can."""

_VERSION = re.compile(r"ffmpeg version n?(\d+(?:\.\d+)*)")
_ENCODER = re.compile(r"^ [VAS][A-Z.]{5} (\S+)", re.MULTILINE)


def find(config: MethodConfig) -> list[Offered]:
    """Return the ffmpegs that work here: those that a person named first, else that of the PATH.

    Raises:
        NotASetup: one that a person named does not work.
    """
    found = [offered(program) for program in config.programs]
    on_path = shutil.which("ffmpeg") if config.search else None
    if on_path:
        try:
            found.append(offered(Path(on_path)))
        except NotASetup:
            return found  # nobody asked for it
    return found


def offered(program: Path) -> Offered:
    """Return an ffmpeg, with the videos that it can make as its engines.

    Raises:
        NotASetup: it does not work, or can make none.
    """
    version = _VERSION.search(_said(program, "-version"))
    encoders = encoders_of(program)
    able = [name for name, form in FORMATS.items() if encoder(form, encoders)]
    if version is None or not able:
        raise NotASetup(f"{program} is no ffmpeg that can make videos.", hint="Debian: sudo apt-get install ffmpeg")
    cannot = [
        f"{name}: this ffmpeg has no {' or '.join(form.encoders)}" for name, form in FORMATS.items() if name not in able
    ]
    silent = [
        f"sound in {name}: this ffmpeg has no {form.audio}"
        for name, form in FORMATS.items()
        if name in able and form.audio and form.audio not in encoders
    ]
    offer = Offer(method="video", version=version[1], engines=able, detail=str(program), cannot=[*cannot, *silent])
    return Offered(offer, Launcher("ffmpeg", program.absolute()))


def encoder(form: Format, encoders: set[str]) -> str:
    """Return the best encoder for a kind of video; empty: there is none."""
    return next((name for name in form.encoders if name in encoders), "")


def encoders_of(program: Path) -> set[str]:
    """Return all that an ffmpeg can encode.

    Raises:
        NotASetup: it does not say.
    """
    return set(_ENCODER.findall(_said(program, "-encoders")))


def version_of(program: Path) -> str:
    """Return its version."""
    found = _VERSION.search(_said(program, "-version"))
    return found[1] if found else ""


def _said(program: Path, question: str) -> str:
    argv = [str(program), "-hide_banner" if question != "-version" else "-nostdin", question]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotASetup(f"{program} does not work: {error}.", hint="Debian: sudo apt-get install ffmpeg") from error
    return done.stdout
