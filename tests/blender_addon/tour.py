"""An artist's first quarter of an hour in a real window; as a test, and for the pictures in the docs: `make shots`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from blender_addon.comms.link import Link
from farm.accounts import ledger
from farm.accounts.ledger import FARM, About, Kind
from farm.database.handle import Database
from farm.methods.base import Offered
from farm.package.addon import NAME, main
from tests.blender_addon.former import former
from tests.blender_addon.returns import NEWER, Newcomer, Return, fail
from tests.blender_addon.uploads import BREAK, SIZE
from tests.blender_addon.walk import Walk
from tests.blender_addon.window import Window, window
from tests.blenders import blenders, run_inside
from tests.farm.artist import renderer
from tests.farm.farm import Farm, running
from tests.serving import PASSPHRASE

ROOT = Path(__file__).parents[2]

MENU, ENTRY = (128, 13), (206, 199)
"""Where to click: the Render menu, its entry of ours."""

MIA, NO_ATTEMPT = 2, 10**9
"""Her account: the admin's is the first. A number that no attempt of hers has."""

DIALOG = "480x300+800+560"
"""The part of the window where dialogs are, which open where the mouse is: at the panel's end."""


class Tour(Walk):
    """All that the panel has.

    Args:
        window: a Blender with the demo's project.
        farm: with a slave.
        project: the folder of the .blend.
        album: where the pictures go.
    """

    def __init__(self, window: Window, farm: Farm, project: Path, album: Path) -> None:
        super().__init__(window, farm, album)
        self.project = project

    def walk(self) -> None:
        """Go all the way."""
        self.open_the_panel()
        self.connect()
        self.register()
        self.touch_what_is_more()
        self.hear_what_is_missing()
        self.hear_what_simulates()
        self.render()
        with self.slave_away():  # else a quick machine has rendered all before the last button is found
            self.show_last()
            self.play()
            self.pause()
        self.boost()
        with self.slave_away():
            self.resume()
            self.cancel_and_retry()
        self.update()
        self.replace()
        self.find_the_button_elsewhere()
        self.hear_what_is_there()
        self.find_the_server_again()
        self.forget_what_broke_off()

    def touch_what_is_more(self) -> None:
        """Open what is seldom changed, and change each of it; then put it back."""
        self.window.press("DISTREN_PT_more")
        self.window.to_the_end()
        self.shot("addon-more", crop="452x528+828+308")
        for name in ("replace", "keep", "previews", "only_missing", "paused", "approval", "newer", "fetch"):
            place = self.window.find(name)
            for _ in ("change", "put back"):
                before = self.window.state["wish"][name]
                self.window.click(*place)
                self.window.until(lambda state, n=name, b=before: state["wish"][n] != b, f"{name} is changed")
        for name in ("tiles", "video", "order"):
            place = self.window.find(name)
            for wheel in (5, 4):  # to the next choice, and back
                before = self.window.state["wish"][name]
                self.window.do("mousemove", *place)
                self.window.do("keydown", "ctrl", "click", wheel, "keyup", "ctrl")
                self.window.until(lambda state, n=name, b=before: state["wish"][n] != b, f"{name} is changed")
        for name, *texts in (
            ("project", "autumn"), ("comment", "for tomorrow"), ("priority", "60"),
            ("tags", "gpu, fast", ""), ("pool", "heavy", ""),
        ):  # fmt: skip
            for text in texts:
                self.window.write(name, text)
                self.window.until(lambda state, n=name, t=text: str(state["wish"][n]) == t, f"{name} is filled in")
        self.touch_settings()

    def touch_settings(self) -> None:
        """Open the method's settings, and wish for other samples."""
        self.window.press("DISTREN_PT_settings")
        self.window.to_the_end()
        self.shot("addon-settings", crop="452x320+828+520")
        self.window.press("use_samples")
        self.window.until(lambda state: state["samples"] == 64, "samples are as in the file")
        self.window.write("samples", "16")
        self.window.until(lambda state: state["samples"] == 16, "samples are others")
        self.window.press("use_samples")
        self.window.press("DISTREN_PT_settings")
        self.window.press("DISTREN_PT_more")
        self.window.to_the_top()

    def hear_what_is_missing(self) -> None:
        """Press the button while a texture is gone; put it back."""
        texture = self.project / "textures" / "rings.png"
        shutil.move(texture, self.project / "gone.png")
        self.window.press("distren.submit")
        self.window.until(lambda state: "rings.png" in " ".join(state["findings"]), "it is said what is missing")
        self.shot("addon-findings", crop="452x236+828+365")
        shutil.move(self.project / "gone.png", texture)
        self._forget()

    def hear_what_simulates(self) -> None:
        """Press the button while a cape hangs there that is not baked; take it down."""
        self.window.act("drape")
        self.window.press("distren.submit")
        self.window.until(lambda state: "cloth" in " ".join(state["findings"]), "it is said what simulates")
        self.shot("addon-physics", crop="452x178+828+365")
        self._forget()
        self.window.act("drape")

    def render(self) -> None:
        """Press the button, and watch pictures come home."""
        before = self.window.state["dirty"]
        server = self.farm.server.popen
        place = self.window.find("distren.submit")
        server.send_signal(signal.SIGSTOP)  # so slow that there is time for a picture
        self.window.click(*place)
        self.window.until(lambda state: state["sending"], "the job is being sent")
        self.shot("addon-sending")
        server.send_signal(signal.SIGCONT)
        self.window.until(lambda state: state["jobs"], "the job is on the farm")
        self.window.until(
            lambda state: state["thumbnails"] >= 3 and state["fetched"].get("1", 0) >= 3, "pictures are here", 300
        )
        self.window.to_the_end()
        self.shot("addon-rendering", whole=True)
        assert len(list((self.project / "pictures").glob("turntable_*.png"))) >= 3
        assert self.window.state["images"] == ["rings.png"]
        assert self.window.state["dirty"] == before

    def show_last(self) -> None:
        """Show the newest picture in an image editor that is open; it leaves the file when it is not shown any more."""
        before = self.window.state["dirty"]
        self.window.do("mousemove", 420, 400)
        self.window.do("key", "shift+F10")
        self.window.press("Show last")
        self.window.until(lambda state: len(state["images"]) == 2, "the picture is shown")
        self.shot("addon-last", whole=True)
        self.window.do("mousemove", 420, 400)
        self.window.do("key", "shift+F5")
        self.window.until(lambda state: state["images"] == ["rings.png"], "it has left the file")
        assert self.window.state["dirty"] == before

    def play(self) -> None:
        """Play the pictures that are here, in Blender's player; close it."""
        self.window.press("Play")
        self.window.until(lambda _state: self.window.players(), "the player is there")
        for player in self.window.players():
            player.kill()
        self.window.until(lambda _state: not self.window.players(), "the player has gone")

    @contextlib.contextmanager
    def slave_away(self) -> Iterator[None]:
        """Let the slave stand still meanwhile."""
        slave = self.farm.slaves["ws01"].popen
        slave.send_signal(signal.SIGSTOP)
        yield
        slave.send_signal(signal.SIGCONT)

    def pause(self) -> None:
        """Pause the job."""
        self.window.press("Pause")
        self._until_it_is("paused")
        self.window.to_the_end()
        self.shot("addon-paused", crop="452x360+828+480")

    def resume(self) -> None:
        """Let it go on: the button below the picture."""
        self.window.press("Resume")
        self._until_it_is("rendering", "queued")

    def boost(self) -> None:
        """Ask what a boost of the job costs and gives, and pay it."""
        give_points(self.farm)
        self.window.press("Boost …")
        self.window.until(lambda state: state["weighed"], "it is said what it costs and gives")
        self.window.to_the_end()
        self.shot("addon-boost", crop="452x400+828+440")
        self.window.press("Boost")
        self.window.until(lambda state: state["boosts"][0] == 1, "the job is boosted")
        self.window.to_the_end()

    def find_the_button_elsewhere(self) -> None:
        """Press the entry of the Render menu, find the button by F3, open the job in the browser."""
        for way in (self._by_menu, self._by_search):
            way()
            self.window.until(lambda state: "turntable_" in " ".join(state["findings"]), "it was pressed")
            self._forget()
        self.window.press("Dashboard")
        opened = self.window.home / "opened"
        self.window.until(lambda _state: opened.exists(), "the browser is open")
        assert opened.read_text().strip() == f"{self.farm.url}/jobs/1"

    def _by_menu(self) -> None:
        self.window.click(*MENU)
        self.window.click(*ENTRY)

    def _by_search(self) -> None:
        self.window.do("mousemove", 420, 400)
        self.window.do("key", "F3")
        self.window.do("type", "render on farm")
        self.window.do("key", "Return")

    def cancel_and_retry(self) -> None:
        """End the job, let its frames be rendered all the same, and end it again."""
        self.window.press("Cancel")
        self._until_it_is("canceled")
        self.window.press("Retry")
        self._until_it_is("rendering", "queued")
        self.window.press("Cancel")
        self._until_it_is("canceled")

    def update(self) -> None:
        """Render a frame of it anew."""
        self.window.press("Update …")
        self.shot("addon-update", crop=DIALOG, keep=True)
        self.window.do("key", "Return")
        self.window.until(lambda state: state["versions"][0] == 2, "the job has the file as it is now")
        self._until_it_is("done", "canceled", "failed")

    def replace(self) -> None:
        """Fetch once more while another picture is in the way, and let it be replaced."""
        (mine := self.project / "pictures" / "turntable_0001.png").write_bytes(b"mine")
        self.window.press("Fetch")
        self.window.until(lambda state: state["differing"].get("1"), "it is said that another one is there")
        self.window.to_the_end()
        self.shot("addon-differing", crop="452x330+828+510")
        self.window.press("Replace …")
        self.shot("addon-replace", crop=DIALOG, keep=True)
        self.window.do("key", "Return")
        self.window.until(lambda _state: mine.read_bytes() != b"mine", "it is replaced")

    def _forget(self) -> None:
        self.window.press("distren.forget_findings")
        self.window.until(lambda state: not state["findings"], "Cancel was pressed")

    def _until_it_is(self, *states: str) -> None:
        self.window.until(lambda state: state["jobs"][0][1] in states, f"the job is {' or '.join(states)}", 120)

    def hear_what_is_there(self) -> None:
        """Press the button again: some of the pictures are here already."""
        self.window.to_the_top()
        self.window.press("distren.submit")
        self.window.until(lambda state: "turntable_" in " ".join(state["findings"]), "it is said what is there")
        self.shot("addon-taken", crop="452x228+828+365")
        self._forget()

    def find_the_server_again(self) -> None:
        """Log out in the preferences, look for servers on the network, choose the one there, log in."""
        self.window.preferences()
        self.log_out()
        self.window.press("distren.look_nearby")
        self.window.until(lambda state: "studio" in state["nearby"], "the server is found")
        self.shot("addon-nearby", crop="520x390+464+220")
        self.window.press("studio: *")
        self.window.until(lambda state: state["answered"], "the server has answered")
        self.leave_an_upload()
        self.log_in()
        self.window.preferences()

    def leave_an_upload(self) -> None:
        """Let another Blender of mia's be killed in the middle of an upload."""
        folder = self.window.home / "copy"
        folder.mkdir()
        (blend := folder / "shot.blend").write_bytes(os.urandom(SIZE))
        known = {"name": "mia", "passphrase": PASSPHRASE, "device": "another Blender"}
        token = Link(self.farm.url).call("POST", "/api/accounts/login", known)["token"]
        argv = [sys.executable, "-m", "tests.blender_addon.slowly"]
        words = [*argv, self.farm.url, token, str(BREAK), str(blend), "mia"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, **self.window.variables}) as blender:
            assert blender.stdout is not None
            assert blender.stdout.readline() == b"holding\n"
            blender.kill()

    def forget_what_broke_off(self) -> None:
        """Hear of that upload, and forget it."""
        self.window.until(lambda state: state["halves"] == ["shot"], "the upload is offered")
        self.shot("addon-unfinished")
        self.window.press("distren.forget_rest")
        self.window.until(lambda state: not state["halves"] and "forgotten" in state["said"], "it is forgotten")
        assert self.farm.client.jobs().jobs[0].state == "canceled"


def address() -> str:
    """Return this machine's address on its network, where servers are announced."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])


def go(blender: Offered, album: Path) -> None:
    """Go on the tour.

    Args:
        blender: a program that has windows.
        album: where the pictures go.
    """
    # The panel shows paths: of one length, so that pictures are always alike.
    with tempfile.TemporaryDirectory(prefix="mia-") as name:
        place = Path(name)
        project, home, scene = place / "turntable", place / "home", ROOT / "farm/methods/blender/demo/make_scene.py"
        run_inside(blender, scene, place / "made", str(project))
        main(str(place / "dist"))
        for folder in (place / "farm", home):
            folder.mkdir()
        with running(place / "farm", name="studio", host=address()) as farm:
            farm.start_slave(methods="blender", slots="1", **renderer(blender))
            program, blend = blender.launcher.program, project / "demo.blend"
            with window(program, blend, place / "dist" / NAME, home) as opened:
                Tour(opened, farm, project, album).walk()
                opened.act("save")
            former(place / "older.zip")
            fail(farm, home, blend, blender)
            with window(program, blend, place / "older.zip", home) as opened:
                Return(opened, farm, album).walk()
            if newer := os.environ.get(NEWER):
                # Her login stays on the other machine.
                (own := place / "newer").mkdir()
                with window(Path(newer), blend, place / "dist" / NAME, own) as opened:
                    Newcomer(opened, farm, album).walk()


def give_points(farm: Farm) -> None:
    """Give mia some points, as if slaves of hers had rendered for others."""
    database = Database.open(f"sqlite:///{farm.folder / 'server' / 'distren.sqlite3'}")
    database.write_now(lambda conn: ledger.post(conn, Kind.EARNED, NO_ATTEMPT, FARM, MIA, 50_000, About(), 0))
    database.close()


if __name__ == "__main__":
    go(next(b for b in blenders() if b.launcher.kind == "program"), Path(sys.argv[1]))
