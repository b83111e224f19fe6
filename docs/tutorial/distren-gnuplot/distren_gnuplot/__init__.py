"""Gnuplot as a render method: one picture per frame of a plot that moves."""

from pathlib import Path

from farm.methods.program import FrameToRender, ProgramMethod
from farm.protocol.methods import SettingDescription


class Gnuplot(ProgramMethod):
    """Runs gnuplot once per frame, with the frame's number in its variable `frame`."""

    name = "gnuplot"
    title = "Gnuplot"
    help = "Draws the frames of a plot. The script finds the frame's number in `frame`."
    hint = "Debian: sudo apt-get install gnuplot-nox"
    suffixes = (".gp", ".gnuplot")
    program = "gnuplot"
    example = "plot sin(x + frame)\n"
    settings = (
        SettingDescription(
            name="width", title="Width", type="integer", unit="px", default=640, minimum=16, maximum=8192, help="Width."
        ),
        SettingDescription(
            name="height",
            title="Height",
            type="integer",
            unit="px",
            default=480,
            minimum=16,
            maximum=8192,
            help="Height.",
        ),
        SettingDescription(
            name="declare",
            title="Variables",
            type="declarations",
            help="NAME=VALUE, one a line, set before the script.",
        ),
    )

    def command(self, program: Path, frame: FrameToRender) -> list[str]:
        """Return the command of one frame."""
        width, height = (frame.settings.get(name, usual) for name, usual in (("width", 640), ("height", 480)))
        picture = frame.output / f"{frame.source.stem}_{frame.picture:04d}.png"
        before = [
            f"frame = {frame.picture}",
            f"set terminal pngcairo size {width},{height}",
            f"set output '{picture}'",
            *str(frame.settings.get("declare", "")).splitlines(),
        ]
        return [str(program), "-e", "; ".join(before), str(frame.source)]

    def reason(self, lines: list[str]) -> str:
        """Return gnuplot's own words: the last line says what is wrong, with file and line."""
        return next((line.strip() for line in reversed(lines) if " line " in line), "")


METHOD = Gnuplot()
