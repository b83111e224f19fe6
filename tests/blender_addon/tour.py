"""An artist's first quarter of an hour in a real window; as a test, and for the pictures in the docs: `make shots`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from farm.methods.base import Offered
from farm.package.addon import NAME, main
from farm.protocol.accounts import MakeInvite
from tests.blender_addon.window import Window, window
from tests.blenders import blenders, run_inside
from tests.farm.artist import renderer
from tests.farm.farm import Farm, running

ROOT = Path(__file__).parents[2]
PANEL = "452x250+828+365"
"""The part of the window where the panel is, as wide as it is, and as high as most halts need."""


class Tour:
    """Walk through the add-on, and take a picture at each halt.

    Args:
        window: a Blender with the demo's project.
        farm: with a slave.
        project: the folder of the .blend.
        album: where the pictures go.
    """

    def __init__(self, window: Window, farm: Farm, project: Path, album: Path) -> None:
        self.window, self.farm, self.project, self.album = window, farm, project, album

    def walk(self) -> None:
        """Go all the way."""
        self.open_the_panel()
        self.connect()
        self.register()
        self.hear_what_is_missing()
        self.render()
        self.play()
        self.cancel()
        self.hear_what_is_there()

    def open_the_panel(self) -> None:
        """Make room for the properties, choose Output, fold all other panels."""
        self.window.drag((1057, 500), (830, 500))
        self.window.drag((1000, 289), (1000, 130))
        self.window.click(846, 248)
        self.window.do("mousemove", 1000, 212)
        self.window.do("keydown", "ctrl", "click", 1, "keyup", "ctrl")
        self.window.click(1000, 212)
        self.window.click(1000, 380)

    def connect(self) -> None:
        """Say which server, and connect."""
        self.window.fill(1160, 410, self.farm.url)
        self._shot("addon-connect")
        self.window.click(1078, 436)
        self.window.until(lambda state: state["answered"], "the server has answered")

    def register(self) -> None:
        """Make an account."""
        code = self.farm.client.make_invite(MakeInvite()).code
        self.window.click(1170, 462)
        self.window.fill(1160, 499, "mia", "correct horse battery", code)
        self._shot("addon-register")
        self.window.click(1075, 577)
        self.window.until(lambda state: state["user"] == "mia", "mia is logged in")

    def hear_what_is_missing(self) -> None:
        """Press the button while a texture is gone; put it back."""
        texture = self.project / "textures" / "rings.png"
        shutil.move(texture, self.project / "gone.png")
        self.window.click(1078, 488)
        self.window.until(lambda state: "rings.png" in " ".join(state["findings"]), "it is said what is missing")
        self._shot("addon-findings")
        shutil.move(self.project / "gone.png", texture)
        self.window.click(1198, 485)
        self.window.until(lambda state: not state["findings"], "Cancel was pressed")

    def render(self) -> None:
        """Press the button, and watch pictures come home."""
        before = self.window.state["dirty"]
        self.window.click(1078, 488)
        self.window.until(lambda state: state["jobs"], "the job is on the farm")
        self.window.until(
            lambda state: state["thumbnail"] and state["fetched"].get("1", 0) >= 3, "pictures are here", 300
        )
        self.window.do("mousemove", 1100, 350)
        self.window.do("click", "--repeat", 30, 5)
        self._shot("addon-rendering", whole=True)
        assert len(list((self.project / "pictures").glob("turntable_*.png"))) >= 3
        assert self.window.state["images"] == ["rings.png"]
        assert self.window.state["dirty"] == before

    def play(self) -> None:
        """Play the pictures that are here, in Blender's player; close it."""
        self.window.click(1207, 792)
        self.window.until(lambda _state: self.window.players(), "the player is there")
        for player in self.window.players():
            player.kill()
        self.window.until(lambda _state: not self.window.players(), "the player has gone")

    def cancel(self) -> None:
        """End the job: the button below the picture."""
        self.window.click(1175, 766)
        self.window.until(lambda state: state["jobs"][0][1] == "canceled", "the job is canceled")

    def hear_what_is_there(self) -> None:
        """Press the button again: some of the pictures are here already."""
        self.window.do("mousemove", 1100, 350)
        self.window.do("click", "--repeat", 30, 4)
        self.window.click(1078, 488)
        self.window.until(lambda state: "turntable_" in " ".join(state["findings"]), "it is said what is there")
        self._shot("addon-taken")

    def _shot(self, name: str, *, whole: bool = False) -> None:
        png = self.album / f"{name}.png"
        self.window.shot(png, "" if whole else PANEL)
        with Image.open(png) as image:
            image.convert("RGB").save(self.album / f"{name}.webp", quality=80, method=6)
        png.unlink()


def go(blender: Offered, album: Path) -> None:
    """Go on the tour.

    Args:
        blender: a program that has windows.
        album: where the pictures go.
    """
    # The panel shows paths: of one length, so that buttons are always at their places.
    with tempfile.TemporaryDirectory(prefix="mia-") as name:
        place = Path(name)
        project, home, scene = place / "turntable", place / "home", ROOT / "farm/methods/blender/demo/make_scene.py"
        run_inside(blender, scene, place / "made", str(project))
        main(str(place / "dist"))
        for folder in (place / "farm", home):
            folder.mkdir()
        with running(place / "farm", name="studio") as farm:
            farm.start_slave(methods="blender", slots="1", **renderer(blender))
            with window(blender, project / "demo.blend", place / "dist" / NAME, home) as opened:
                Tour(opened, farm, project, album).walk()


if __name__ == "__main__":
    go(next(b for b in blenders() if b.launcher.kind == "program"), Path(sys.argv[1]))
