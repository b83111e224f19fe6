"""What all walks through a window of Blender begin with: the panel, the server, an account."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from farm.protocol.accounts import MakeInvite
from tests.blender_addon.window import Window
from tests.farm.farm import Farm
from tests.serving import PASSPHRASE

PANEL = "452x250+828+365"
"""The part of the window where the panel is, as wide as it is, and as high as most halts need."""

FIRST = (1000, 212)
"""Where the head of the first panel is; below it are those of all others, when they are folded."""

WIDE = 400
"""Pixels that the properties need, for what they say not to be cut off."""

FIELD = (-10, 37)
"""Where the first field of a dialog is, as seen from the button that opened it."""

IN_NEWER = (271, 57)
"""The same, since Blender 4.2, as seen from the dialog's upper left corner."""


class Walk:
    """Walk through the add-on, and take a picture at each halt.

    Args:
        window: a Blender.
        farm: the one that the artist comes to.
        album: where the pictures go.
    """

    def __init__(self, window: Window, farm: Farm, album: Path) -> None:
        self.window, self.farm, self.album = window, farm, album

    def open_the_panel(self) -> None:
        """Make room for the properties, fold all panels but ours."""
        # A window that has just opened may not have heard of the first drag.
        while self.window.state["width"] < WIDE:
            self.window.drag((1057, 500), (830, 500))
        self.window.drag((1000, 289), (1000, 130))
        self.window.do("mousemove", *FIRST)
        self.window.do("keydown", "ctrl", "click", 1, "keyup", "ctrl")
        self.window.click(*FIRST)
        self.window.press("DISTREN_PT_farm")

    def connect(self) -> None:
        """Say which server, and connect."""
        self.window.write("server", self.farm.url)
        self.shot("addon-connect")
        self.window.press("Connect")
        self.window.until(lambda state: state["answered"], "the server has answered")

    def register(self) -> None:
        """Make an account."""
        code = self.farm.client.make_invite(MakeInvite()).code
        self.ask("distren.register_account", "mia", PASSPHRASE, code)
        self.shot("addon-register", keep=True)
        self.window.do("key", "Return")
        self.window.until(lambda state: state["user"] == "mia", "mia is logged in")

    def log_out(self) -> None:
        """Log out, in the preferences."""
        self.window.press("distren.log_out")
        self.window.until(lambda state: state["said"] == "Logged out.", "mia is logged out")

    def log_in(self) -> None:
        """Log in."""
        self.ask("distren.log_in", "mia", PASSPHRASE)
        self.window.do("key", "Return")
        self.window.until(lambda state: state["user"] == "mia", "mia is logged in")

    def ask(self, button: str, *texts: str) -> None:
        """Press a button that opens a dialog, and fill it in."""
        x, y = self.window.find(button)
        self.window.rest()
        before = self.window.look()
        self.window.click(x, y)
        if self.window.state["online"] is None:
            self.window.fill(x + FIELD[0], y + FIELD[1], *texts)
            return
        left, top = self.window.corner(before)
        self.window.fill(left + IN_NEWER[0], top + IN_NEWER[1], *texts)

    def shot(self, name: str, *, whole: bool = False, crop: str = PANEL, keep: bool = False) -> None:
        """Take a picture of the panel, of a part of the window, or of all of it.

        Args:
            name: of the picture's file.
            whole: all of the window.
            crop: the part, `300x200+10+10`.
            keep: what is under the mouse, a dialog, is to stay.
        """
        png = self.album / f"{name}.png"
        self.window.shot(png, "" if whole else crop, keep=keep)
        with Image.open(png) as image:
            image.convert("RGB").save(self.album / f"{name}.webp", quality=80, method=6)
        png.unlink()
