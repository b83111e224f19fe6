"""A real Blender in a real window (Xvfb), clicked and typed at by xdotool, looked at by screenshots."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from PIL import Image, ImageChops, ImageFilter

from farm.methods.blender.command import environment

WIDTH, HEIGHT = 1280, 860

ASIDE = 640, HEIGHT - 6
"""Where the mouse is in nobody's way: over the status bar. Over a 3D view it has that drawn anew, which takes time."""

CUT_OFF = 8
"""Less of a button's height than this is the part of one that reaches out of its editor."""

SCRIPT = Path(__file__).parent / "make_window.py"


class Window:
    """One Blender in one window on a display of its own."""

    def __init__(
        self, program: Path, blend: Path, archive: Path, home: Path, script: Path, arguments: Sequence[str]
    ) -> None:
        self.home = home
        self._state = home / "state.json"
        number, end = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"],
            pass_fds=[end], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(end)
        with os.fdopen(number) as told:
            self.display = f":{told.readline().strip()}"
        own = {name: str(home / name.lower()) for name in ("BLENDER_USER_CONFIG", "BLENDER_USER_SCRIPTS")}
        (home / "blender_user_scripts" / "addons").mkdir(parents=True, exist_ok=True)
        drawn = {"DISPLAY": self.display, "LIBGL_ALWAYS_SOFTWARE": "1", "BROWSER": _browser(home)}
        self.variables = {**environment(home), **own, **drawn}
        size = ["-p", "0", "0", str(WIDTH), str(HEIGHT)]
        self.log = (home / "blender.log").open("ab")
        argv = [str(program), "--factory-startup", "-noaudio", *size, str(blend)]
        self._blender = subprocess.Popen(
            [*argv, "--python", str(script), "--", str(archive), str(self._state), *arguments],
            env=self.variables, cwd=home, stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def close(self) -> None:
        """End Blender and its display."""
        for process in (self._blender, self._server):
            process.kill()
            process.wait()
        self.log.close()

    def quit(self) -> None:
        """Close Blender as an artist does; return when it has ended."""
        subprocess.run(
            ["xdotool", "mousemove", "420", "400", "key", "ctrl+q"], env=self.variables, check=True, timeout=30
        )
        self._blender.wait(60)

    # --- what Blender knows ---

    @property
    def state(self) -> dict[str, Any]:
        """What the add-on's desk knows now."""
        assert self._blender.poll() is None, self.said()
        with contextlib.suppress(FileNotFoundError):
            return json.loads(self._state.read_text())  # type: ignore[no-any-return]
        return {}

    def players(self) -> list[psutil.Process]:
        """Return the players that Blender has started and that still run."""
        found = psutil.Process(self._blender.pid).children()
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]

    def said(self) -> str:
        """Return what Blender said."""
        return (self.home / "blender.log").read_text(errors="replace")[-3000:]

    def until(self, happened: Callable[[dict[str, Any]], Any], what: str, seconds: float = 180) -> dict[str, Any]:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not (state := self.state) or not happened(state):
            assert time.monotonic() < end, f"waited until {what}; {state}; {self.said()}"
            time.sleep(0.1)
        return state

    # --- what an artist does ---

    def do(self, *words: object) -> None:
        """Move, click, type: the words of xdotool."""
        subprocess.run(["xdotool", *map(str, words)], env=self.variables, check=True, timeout=30)
        self.rest()

    def rest(self) -> None:
        """Let Blender draw: on a busy machine that takes its time."""
        ticks = self.state.get("ticks", 0)
        self.until(lambda state: state["ticks"] >= ticks + 8, "Blender has drawn")

    def click(self, x: int, y: int) -> None:
        """Click somewhere."""
        self.do("mousemove", x, y)
        self.do("click", 1)

    def find(self, name: str) -> tuple[int, int]:
        """Return where a button or a field of the add-on is, scrolling if need be; see :class:`marks.Marks`."""
        for scroll in (None, self.to_the_end, self.to_the_top):
            if scroll:
                scroll()
            self.do("mousemove", *ASIDE)
            before, marked = self._drawn(""), self._drawn(name)
            self._mark("")
            redder = ImageChops.subtract(_redness(marked), _redness(before)).point(lambda shade: 255 * (shade > 20))
            box = redder.filter(ImageFilter.MinFilter(5)).getbbox() or redder.getbbox()
            if box and box[3] - box[1] >= CUT_OFF:
                return (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
        raise AssertionError(f"there is no {name}; {self.state}")

    def _drawn(self, mark: str) -> Image.Image:
        self._mark(mark)
        self.rest()
        return self.look()

    def look(self) -> Image.Image:
        """Return the screen as it is now."""
        png = self.home / "marked.png"
        subprocess.run(["import", "-window", "root", str(png)], env=self.variables, check=True, timeout=60)
        with Image.open(png) as image:
            return image.convert("RGB")

    def _mark(self, mark: str) -> None:
        part = self.home / "mark.part"
        part.write_text(mark)
        part.rename(self.home / "state.json.mark")
        self.until(lambda state: state["marked"] == mark, f"{mark} is marked")

    def corner(self, before: Image.Image) -> tuple[int, int]:
        """Return the upper left corner of a dialog that was not there before; the status bar changes, too."""
        changed = ImageChops.difference(before, self.look()).convert("L").crop((0, 0, WIDTH, HEIGHT - 24))
        box = changed.point(lambda shade: 255 * (shade > 20)).filter(ImageFilter.MinFilter(3)).getbbox()
        assert box is not None, f"there is no dialog; {self.state}"
        return box[0], box[1]

    def press(self, name: str) -> tuple[int, int]:
        """Click on a button of the add-on; return where it is."""
        place = self.find(name)
        self.click(*place)
        return place

    def write(self, name: str, text: str) -> None:
        """Type into a field of the add-on."""
        self.fill(*self.find(name), text)

    def to_the_end(self) -> None:
        """Scroll to the end of the properties."""
        self.do("mousemove", 1100, 350)
        self.do("click", "--repeat", 40, 5)

    def to_the_top(self) -> None:
        """Scroll to their beginning."""
        self.do("mousemove", 1100, 350)
        self.do("click", "--repeat", 40, 4)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag from one place to another."""
        self.do("mousemove", *start)
        self.do("mousedown", 1)
        self.do("mousemove", (start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
        self.do("mousemove", *end)
        self.do("mouseup", 1)

    def fill(self, x: int, y: int, *texts: str) -> None:
        """Type into fields that follow each other."""
        self.do("mousemove", x, y)
        self.do("click", "--repeat", 2, "--delay", 60, 1)
        for number, text in enumerate(texts):
            if number:
                self.do("key", "Tab")
            self.do("key", "ctrl+a")
            self.do(*(("type", text) if text else ("key", "BackSpace")))
        self.do("key", "Return")

    def preferences(self) -> None:
        """Open the preferences at the add-on, around the mouse; or close them."""
        self.do("mousemove", 640, 430)
        self.act("preferences")

    def act(self, name: str) -> None:
        """Have something done without the mouse: one of `ACTS` in make_window.py."""
        part, told = self.home / "act.part", self.home / "state.json.act"
        part.write_text(name)
        part.rename(told)
        self.until(lambda _state: not told.exists(), f"{name} is done")
        self.rest()

    def shot(self, path: Path, crop: str = "", *, keep: bool = False) -> None:
        """Take a picture of the screen, or of a part of it (`300x200+10+10`); `keep`: a dialog under the mouse."""
        if not keep:
            self.do("mousemove", 420, 600)
        part = ["-crop", crop, "+repage"] if crop else []
        subprocess.run(
            ["import", "-window", "root", *part, str(path)], env=self.variables, check=True, timeout=30
        )  # fmt: skip


def _redness(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return ImageChops.subtract(red, ImageChops.lighter(green, blue))


def _browser(home: Path) -> str:
    """Make a browser that notes what it opens, in a file `opened`; return the command."""
    (script := home / "browser").write_text(f'#!/bin/sh\necho "$1" > {home}/opened\n')
    script.chmod(0o755)
    return f"{script} %s"


@contextlib.contextmanager
def window(
    program: Path, blend: Path, archive: Path, home: Path, script: Path = SCRIPT, arguments: Sequence[str] = ()
) -> Iterator[Window]:
    """Give a window, and close it.

    Args:
        program: a Blender that has windows.
        blend: the file that is opened.
        archive: the add-on.
        home: the artist's home folder.
        script: what installs the add-on, and tells of it.
        arguments: more words for the script.
    """
    opened = Window(program, blend, archive, home, script, arguments)
    try:
        opened.until(lambda state: state.get("ticks", 0) > 20, "Blender is up", 300)
        yield opened
    finally:
        opened.close()
