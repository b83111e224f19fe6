"""The settings of a POV-Ray job. None always means: as the `.ini` says, else as POV-Ray does it."""

from __future__ import annotations

from typing import Any

from farm.methods.povray.options import FORMATS
from farm.methods.tiles import TILES
from farm.protocol.methods import MethodDescription, SettingDescription


def _integer(name: str, title: str, text: str, low: int, high: int, unit: str = "") -> SettingDescription:
    return SettingDescription(name=name, title=title, type="integer", help=text, minimum=low, maximum=high, unit=unit)


def _number(
    name: str, title: str, text: str, low: float | None = None, high: float | None = None
) -> SettingDescription:
    return SettingDescription(name=name, title=title, type="number", help=text, minimum=low, maximum=high)


def _other(kind: Any, name: str, title: str, text: str, **more: Any) -> SettingDescription:
    return SettingDescription(name=name, title=title, type=kind, help=text, **more)


_FRAME = 1_048_574

_SETTINGS = [
    _integer("width", "Width", "Width of the picture; 800 if nobody says.", 1, 65_536, "px"),
    _integer("height", "Height", "Height of the picture; 600 if nobody says.", 1, 65_536, "px"),
    _other("text", "ini", "Options file", "An .ini file of the job to obey, too: its path in the job."),
    _other("text", "section", "Section", "The section of the .ini to obey, as in `scene.ini[low]`."),
    _integer(
        "initial_frame",
        "First frame of the animation",
        "The frame at which the clock begins; the job's first frame if nobody says.",
        0,
        _FRAME,
    ),
    _integer(
        "final_frame",
        "Last frame of the animation",
        "The frame at which the clock ends; the job's last frame if nobody says.",
        0,
        _FRAME,
    ),
    _number("initial_clock", "Clock at the first frame", "The clock's value there; usually 0."),
    _number("final_clock", "Clock at the last frame", "The clock's value there; usually 1."),
    _other(
        "boolean",
        "cyclic",
        "Cyclic animation",
        "The clock would reach its end one frame after the last, so that the film can be repeated.",
    ),
    _number("clock", "Clock of a still", "The clock's value where there is no animation."),
    _other("boolean", "antialiasing", "Antialiasing", "Smooth edges by more rays."),
    _number(
        "antialias_threshold",
        "Antialiasing threshold",
        "Difference between pixels from which more rays are sent.",
        0,
        3,
    ),
    _integer("antialias_depth", "Antialiasing depth", "How many more rays are sent at most.", 1, 9),
    _integer("sampling_method", "Sampling method", "1: fixed grid, 2: adaptive.", 1, 2),
    _integer("quality", "Quality", "0 (colours only) to 11 (everything).", 0, 11),
    _other("choice", "format", "File format", "The picture's file format.", choices=list(FORMATS)),
    _integer("bits", "Bits per channel", "Of PNG and PPM: 8 usually, up to 16.", 5, 16),
    _other("boolean", "alpha", "Alpha channel", "The background is transparent."),
    _other("text", "output", "Name of the pictures", "Before number and suffix; usually the scene's name."),
    _other(
        "declarations", "declare", "Declared values", "NAME=VALUE, one a line: identifiers that the scene may read."
    ),
    *TILES,
    _other(
        "integer", "job_first", "First frame of the job", "The server fills this in.", follows="first_frame", minimum=0
    ),
    _other(
        "integer", "job_last", "Last frame of the job", "The server fills this in.", follows="last_frame", minimum=0
    ),
]


def description() -> MethodDescription:
    """Return what the method says of itself."""
    return MethodDescription(
        name="povray",
        title="POV-Ray",
        help="Renders the frames of a POV-Ray scene, or of an .ini file that names one.",
        source_suffixes=[".pov", ".ini"],
        settings=_SETTINGS,
    )
