"""POV-Ray's options: which a job may set, which the farm sets itself, and which are refused.

Names and meanings: POV-Ray 3.7 reference, "Command-Line and INI-File Options".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from farm.methods.declarations import DECLARED

FORMATS = {
    "PNG": ("N", ".png"),
    "OPEN_EXR": ("E", ".exr"),
    "JPEG": ("J", ".jpg"),
    "TARGA": ("T", ".tga"),
    "BMP": ("B", ".bmp"),
    "PPM": ("P", ".ppm"),
    "HDR": ("H", ".hdr"),
}
"""File formats: POV-Ray's letter, and the suffix of its files."""


class Kind(StrEnum):
    """What becomes of an option."""

    OBEYED = "obeyed"
    """It is passed on, when its value is one."""
    OURS = "ours"
    """The farm sets it, or it makes no sense without a screen: it is left out silently."""
    REFUSED = "refused"
    """It is left out, and a message says why."""
    UNKNOWN = "unknown"
    """POV-Ray has no such option."""


_SWITCH = re.compile(r"1|0|on|off|true|false|yes|no|y|n|t|f", re.IGNORECASE)
_INTEGER = re.compile(r"\d{1,9}")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
_WORD = re.compile(r"[A-Za-z0-9.]{1,20}")
_TEXT = re.compile(r'[^"\x00-\x1f\x7f]{1,1000}')
_VALUES: dict[re.Pattern[str], str] = {
    _SWITCH: """antialias jitter bounding light_buffer vista_buffer remove_bounds split_unions high_reproducibility
        output_alpha dither grayscale_output cyclic_animation clockless_animation radiosity_vain_pretrace""",
    _INTEGER: """width height antialias_depth sampling_method quality bounding_method bounding_threshold
        bits_per_color initial_frame final_frame subset_start_frame subset_end_frame bsp_maxdepth
        max_image_buffer_memory""",
    _NUMBER: """antialias_threshold antialias_gamma jitter_amount initial_clock final_clock clock version
        bsp_baseaccesscost bsp_childaccesscost bsp_isectcost bsp_misschance""",
    _WORD: "output_file_type file_gamma dither_method",
    _TEXT: "input_file_name output_file_name library_path",
    DECLARED: "declare",
}
_OBEYED = {name: form for form, names in _VALUES.items() for name in names.split()}

_OURS = frozenset(
    word
    for line in (
        "work_threads continue_trace display pause_when_done verbose preview_start_size preview_end_size test_abort",
        "test_abort_count draw_vistas video_mode palette display_gamma all_console debug_console fatal_console",
        "render_console statistic_console warning_console warning_level buffer_output buffer_size output_to_file",
        "render_block_size render_block_step render_pattern real_time_raytracing",
    )
    for word in line.split()
)

_WHY = {
    "it would run a program": """pre_scene_command pre_frame_command post_scene_command post_frame_command
        user_abort_command fatal_error_command pre_scene_return pre_frame_return post_scene_return post_frame_return
        user_abort_return fatal_error_return""",
    "it would write beside the pictures": """all_file debug_file fatal_file render_file statistic_file warning_file
        append_file create_ini create_histogram histogram_name histogram_type histogram_grid_size
        radiosity_file_name radiosity_from_file radiosity_to_file""",
    "it would give a part of the picture only": "start_row end_row start_column end_column",
    "the farm's frames are whole, and numbered by the job": "frame_step field_render odd_field",
    "write #include into the scene": "include_header include_ini",
}
_REFUSED = {name: why for why, names in _WHY.items() for name in names.split()}

_SPELLED = {"bits_per_colour": "bits_per_color", "antialias_confidence": "antialias_threshold"}


def plain(name: str) -> str:
    """Return an option's name as it is spelled here."""
    lower = name.strip().lower()
    return _SPELLED.get(lower, lower)


def kind(name: str) -> Kind:
    """Return what becomes of an option."""
    if name in _OBEYED:
        return Kind.OBEYED
    if name in _OURS:
        return Kind.OURS
    return Kind.REFUSED if name in _REFUSED else Kind.UNKNOWN


def why_refused(name: str) -> str:
    """Return the reason, as the second half of a sentence."""
    return _REFUSED[name]


def fits(name: str, value: str) -> bool:
    """Tell whether a value is one of an obeyed option."""
    return _OBEYED[name].fullmatch(value) is not None


Pairs = list[tuple[str, str]]


def _flag(name: str, *, and_value: str = "") -> Callable[[bool, str], Pairs]:
    def pairs(on: bool, rest: str) -> Pairs:
        more = [(and_value, rest)] if and_value and rest else []
        return [(name, "on" if on else "off"), *more]

    return pairs


def _value(name: str) -> Callable[[bool, str], Pairs]:
    return lambda _on, rest: [(name, rest)]


def _file_type(on: bool, rest: str) -> Pairs:
    bits = [("bits_per_color", rest[1:])] if rest[1:] else []
    return [("output_file_type", rest[:1] or "N"), *bits] if on else [("output_to_file", "off")]


_SWITCHES: dict[str, Callable[[bool, str], Pairs]] = {
    "AM": _value("sampling_method"),
    "AG": _value("antialias_gamma"),
    "A": _flag("antialias", and_value="antialias_threshold"),
    "BM": _value("bounding_method"),
    "B": _value("buffer_size"),
    "C": _flag("continue_trace"),
    "D": _flag("display"),
    "EC": _value("end_column"),
    "EF": _value("subset_end_frame"),
    "EP": _value("preview_end_size"),
    "ER": _value("end_row"),
    "F": _file_type,
    "GA": _value("all_file"),
    "GD": _value("debug_file"),
    "GF": _value("fatal_file"),
    "GI": _value("create_ini"),
    "GR": _value("render_file"),
    "GS": _value("statistic_file"),
    "GW": _value("warning_file"),
    "HI": _value("include_header"),
    "HR": _flag("high_reproducibility"),
    "HT": _value("histogram_type"),
    "H": _value("height"),
    "I": _value("input_file_name"),
    "J": _flag("jitter", and_value="jitter_amount"),
    "KC": _flag("cyclic_animation"),
    "KFF": _value("final_frame"),
    "KFI": _value("initial_frame"),
    "KF": _value("final_clock"),
    "KI": _value("initial_clock"),
    "K": _value("clock"),
    "L": _value("library_path"),
    "MB": _flag("bounding", and_value="bounding_threshold"),
    "MV": _value("version"),
    "O": _value("output_file_name"),
    "P": _flag("pause_when_done"),
    "Q": _value("quality"),
    "RVP": _flag("radiosity_vain_pretrace"),
    "RP": _value("render_pattern"),
    "RS": _value("render_block_size"),
    "R": _value("antialias_depth"),
    "SC": _value("start_column"),
    "SF": _value("subset_start_frame"),
    "SP": _value("preview_start_size"),
    "SR": _value("start_row"),
    "STP": _value("frame_step"),
    "SU": _flag("split_unions"),
    "TH": _flag("dither"),
    "UA": _flag("output_alpha"),
    "UD": _flag("draw_vistas"),
    "UF": _flag("field_render"),
    "UL": _flag("light_buffer"),
    "UO": _flag("odd_field"),
    "UR": _flag("remove_bounds"),
    "UV": _flag("vista_buffer"),
    "V": _flag("verbose"),
    "W": _value("width"),
    "WL": _value("warning_level"),
    "WT": _value("work_threads"),
    "X": _flag("test_abort"),
}
_LONGEST_FIRST = sorted(_SWITCHES, key=len, reverse=True)


def from_switch(switch: str) -> Pairs | None:
    """Return the options that a switch such as `+W640` stands for; None: there is no such switch."""
    on, body = switch[0] == "+", switch[1:]
    letters = next((known for known in _LONGEST_FIRST if body.upper().startswith(known)), None)
    return None if letters is None else _SWITCHES[letters](on, body[len(letters) :].strip('"'))
