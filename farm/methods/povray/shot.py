"""What a job asks of POV-Ray: its `.ini` and its settings, as the options of one frame. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from blender_addon import tiling
from farm.methods.declarations import declarations
from farm.methods.povray.inifile import IniFile, Read, inside
from farm.methods.povray.options import FORMATS
from farm.words.errors import BadSetting

BESIDE = "povray.ini"
"""The options file that POV-Ray obeys by itself if it lies beside the scene."""

_SETTINGS = {
    "width": "width",
    "height": "height",
    "initial_frame": "initial_frame",
    "final_frame": "final_frame",
    "initial_clock": "initial_clock",
    "final_clock": "final_clock",
    "cyclic": "cyclic_animation",
    "clock": "clock",
    "antialiasing": "antialias",
    "antialias_threshold": "antialias_threshold",
    "antialias_depth": "antialias_depth",
    "sampling_method": "sampling_method",
    "quality": "quality",
    "bits": "bits_per_color",
    "alpha": "output_alpha",
    "output": "output_file_name",
}
"""A job's settings, and the options that they stand for."""

_DEFAULTS = {"width": "800", "height": "600"}
_SEVERAL = ("declare", "library_path", "input_file_name", "output_file_name")
_FRAMES = (
    "initial_frame",
    "final_frame",
    "subset_start_frame",
    "subset_end_frame",
    "initial_clock",
    "final_clock",
    "cyclic_animation",
    "clock",
)
_SUFFIXES = dict(FORMATS.values()) | {"C": ".tga", "S": ".png"}


@dataclass(frozen=True, slots=True)
class Shot:
    """A scene with its options.

    Args:
        scene: its path in the job.
        options: POV-Ray's options by name.
        declares: each `NAME=VALUE`.
        libraries: folders of the job in which included files are looked for, in this order.
        output: the pictures' name, before number and suffix.
        first, last: the frames of the whole animation; the same for a still.
        tiles: the settings `tiles` and `tile_step`, if each frame is a tile of a picture.
        messages: what was left out, a sentence each.
    """

    scene: str
    options: dict[str, str]
    declares: tuple[str, ...]
    libraries: tuple[str, ...]
    output: str
    first: int
    last: int
    subset: tuple[int, int]
    messages: tuple[str, ...]
    tiles: dict[str, Any]

    @property
    def still(self) -> bool:
        """There is one picture, and no animation: POV-Ray's clock would be no number."""
        return self.first == self.last

    @property
    def frames(self) -> str:
        """The frames that the `.ini` asks for, as a range."""
        first, last = self.subset
        return f"{first}-{last}" if first != last else str(first)

    def lines(self, number: int) -> Iterator[str]:
        """Yield the options of one frame, as lines of an `.ini`.

        Args:
            number: the picture's, or a tile's.

        Raises:
            BadSetting: the animation has no such frame, or the picture no such tile.
        """
        try:
            picture, tile = tiling.place(self.tiles, number)
        except ValueError as error:
            raise BadSetting(str(error)) from error
        if tile is not None:
            yield from self._part(*self.boxes()[tile])
        if not self.first <= picture <= self.last:
            raise BadSetting(
                f"The animation has the frames {self.first} to {self.last}, and no frame {picture}.",
                hint="Set initial_frame and final_frame to those of the whole animation.",
            )
        yield from (f"{name}={value}" for name, value in self.options.items() if name not in _FRAMES)
        yield from (f"Declare={declared}" for declared in self.declares)
        if self.still:
            yield f"Clock={self.options.get('clock', '0')}"
            return
        yield f"Initial_Frame={self.first}"
        yield f"Final_Frame={self.last}"
        yield f"Subset_Start_Frame={picture}"
        yield f"Subset_End_Frame={picture}"
        yield from (f"{name}={self.options[name]}" for name in _FRAMES[4:7] if name in self.options)

    def boxes(self) -> list[tiling.Box]:
        """Return the tiles of a picture.

        Raises:
            BadSetting: they are none, or too small: POV-Ray renders by blocks of 32 pixels, which must be whole.
        """
        grid, width, height = str(self.tiles["tiles"]), int(self.options["width"]), int(self.options["height"])
        try:
            columns, rows = tiling.grid(grid)
            boxes = tiling.boxes(grid, width, height)
        except ValueError as error:
            raise BadSetting(str(error)) from error
        if (columns > 1 and width < tiling.EVEN * columns) or (rows > 1 and height < tiling.EVEN * rows):
            text = f"{grid} tiles of {width}x{height} pixels are smaller than {tiling.EVEN}x{tiling.EVEN}."
            raise BadSetting(text, hint="POV-Ray renders smaller ones otherwise than the whole: take fewer.")
        return boxes

    def _part(self, left: int, top: int, right: int, bottom: int) -> Iterator[str]:
        """Yield the lines for a part of the picture; POV-Ray counts from 1, and an end of 1 would be all."""
        ends = {"Start_Column": left + 1, "End_Column": right, "Start_Row": top + 1, "End_Row": bottom}
        yield from (f"{name}={at}" for name, at in ends.items())

    @property
    def suffix(self) -> str:
        """The suffix of the pictures' files."""
        return _SUFFIXES.get(self.options.get("output_file_type", "N")[:1].upper(), ".png")


def shot(source: str, settings: Mapping[str, Any], read: Read) -> Shot:
    """Return what a job asks for.

    Args:
        source: the job's source: a `.pov`, or an `.ini` that names one.
        settings: the job's settings; they count more than an `.ini`.
        read: gives the text of files of the job.

    Raises:
        BadSetting: an `.ini` or a setting is wrong; says where.
    """
    ini = _ini(source, settings, read)
    options = {**_DEFAULTS, **{o.name: o.value for o in ini.options if o.name not in _SEVERAL}, **_set(settings)}
    scene = _scene(source, ini)
    first, last = _range(options, settings)
    _whole_range(first, last)
    return Shot(
        scene=scene,
        options=options,
        declares=_declares(ini, settings),
        libraries=_libraries(ini, scene),
        output=_output(ini, settings, scene),
        first=first,
        last=last,
        subset=_subset(options, first, last),
        messages=tuple(ini.messages),
        tiles={name: settings[name] for name in ("tiles", "tile_step") if settings.get(name)},
    )


def _ini(source: str, settings: Mapping[str, Any], read: Read) -> IniFile:
    ini, section = IniFile(read), str(settings.get("section") or "")
    named = settings.get("ini")
    beside = str(PurePosixPath(source).parent / BESIDE)
    if _is_ini(source):
        ini.take(source, section if not named else "")
    elif read(beside) is not None:
        ini.take(beside, section if not named else "")
    if named:
        ini.take(str(named), section)
    return ini


def _is_ini(source: str) -> bool:
    return PurePosixPath(source).suffix.lower() == ".ini"


def _set(settings: Mapping[str, Any]) -> dict[str, str]:
    given = {option: settings[name] for name, option in _SETTINGS.items() if settings.get(name) is not None}
    given.pop("output_file_name", None)
    texts = {name: _text(value) for name, value in given.items()}
    if settings.get("format"):
        texts["output_file_type"] = FORMATS[settings["format"]][0]
    return texts


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return repr(value) if isinstance(value, float) else str(value)


def _scene(source: str, ini: IniFile) -> str:
    if not _is_ini(source):
        return source
    named = [option for option in ini.options if option.name == "input_file_name"]
    if not named:
        raise BadSetting(f"“{source}” names no scene.", hint="Write Input_File_Name=scene.pov into it.")
    path = inside(named[-1].folder, named[-1].value)
    if path is None:
        raise BadSetting(f"“{source}” names the scene “{named[-1].value}”, which is not in the job.")
    return path if PurePosixPath(path).suffix else f"{path}.pov"


def _range(options: Mapping[str, str], settings: Mapping[str, Any]) -> tuple[int, int]:
    """Return the animation's frames: as somebody says, else those that the job was submitted with.

    An `.ini` that names only one end means 1 for the other, as POV-Ray does.
    """
    named = [options.get("initial_frame"), options.get("final_frame")]
    if any(named):
        return int(named[0] or 1), int(named[1] or 1)
    first, last = int(settings.get("job_first", 1)), int(settings.get("job_last", 1))
    return first, last % int(settings.get("tile_step") or tiling.STEP) if settings.get("tiles") else last


def _whole_range(first: int, last: int) -> None:
    if last < first:
        raise BadSetting(f"The animation would begin at frame {first} and end at {last}.")


def _subset(options: Mapping[str, str], first: int, last: int) -> tuple[int, int]:
    start, end = options.get("subset_start_frame"), options.get("subset_end_frame")
    begin = max(first, int(start)) if start else first
    return begin, max(begin, min(last, int(end)) if end else last)


def _declares(ini: IniFile, settings: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        lines = declarations(settings.get("declare") or "").splitlines()
    except ValueError as error:
        raise BadSetting(
            f"declare: “{str(error)[:60]}” declares nothing.",
            hint='Write NAME=VALUE, where VALUE is a number or a text in "quotes".',
        ) from error
    return (*(o.value for o in ini.options if o.name == "declare"), *lines)


def _libraries(ini: IniFile, scene: str) -> tuple[str, ...]:
    """Return the folders that are searched: the scene's, the job's, and those that an `.ini` adds."""
    found = [str(PurePosixPath(scene).parent), "."]
    for option in ini.options:
        if option.name != "library_path":
            continue
        path = inside(option.folder, option.value)
        if path is None:
            ini.messages.append(f"Library_Path “{option.value[:60]}” is not obeyed: it is not in the job.")
        else:
            found.append(path or ".")
    return tuple(dict.fromkeys(found))


def _output(ini: IniFile, settings: Mapping[str, Any], scene: str) -> str:
    """Return the pictures' name; its folder is left away, for frames have folders of their own."""
    named = [option.value for option in ini.options if option.name == "output_file_name"]
    text = str(settings.get("output") or (named[-1] if named else ""))
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rsplit(".", 1)[0] if last.lower().endswith(tuple(_SUFFIXES.values())) else last
    name = stem if stem.strip(". ") else PurePosixPath(scene).stem
    if any(ord(c) < 32 or c in '"\\:' for c in name) or len(name) > 100:
        raise BadSetting(f"“{name[:60]}” is no name for pictures.")
    return name
