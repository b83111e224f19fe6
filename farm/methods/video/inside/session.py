"""The session child: one ffmpeg per video."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from farm.methods.combinesession import Needed, Tell, serve
from farm.methods.inside.trouble import Trouble
from farm.methods.video.find import encoder, encoders_of, version_of
from farm.methods.video.formats import FORMATS
from farm.methods.video.inside.encoding import encode
from farm.methods.video.inside.pictures import chosen, linked


def combine(program: Path, needed: Needed, tell: Tell) -> Iterator[Path]:
    """Encode the pictures.

    Raises:
        Trouble: there are none, they differ in kind, or ffmpeg says no.
    """
    settings = needed.settings
    form = FORMATS[str(settings.get("format") or "mp4")]
    encoders = encoders_of(program)
    chosen_encoder = encoder(form, encoders)
    if not chosen_encoder:
        raise Trouble(f"This ffmpeg has no {' or '.join(form.encoders)}.", "slave")
    pictures = chosen(needed.folders)
    target = needed.output / f"{_name(settings.get('name'), pictures[0])}{form.suffix}"
    sound = needed.source if form.audio in encoders else None
    scene = linked(pictures, needed.scratch / "pictures")
    encode(program, form, chosen_encoder, scene, sound, settings, target, tell)
    yield target


def _name(wanted: object, first: Path) -> str:
    name = str(wanted or "").replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    return name[:100] or first.name.split(".")[0].rstrip("0123456789").rstrip("_-. ") or "video"


if __name__ == "__main__":
    ffmpeg = Path(sys.argv[1])
    serve(version_of(ffmpeg), list(FORMATS), partial(combine, ffmpeg))
