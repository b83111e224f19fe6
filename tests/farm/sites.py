"""Farms of friends: each a site with a server and slaves, in a network namespace of its own; all share work."""

from __future__ import annotations

import contextlib
import json
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farm.client.peercalls import PeerCalls
from farm.methods.base import Offered
from farm.words.states import AttemptState, JobState
from tests.blenders import HOME
from tests.farm.artist import renderer
from tests.farm.farm import Farm, Process
from tests.farm.homes import run
from tests.network import Hub, Side, hub


class Site(Farm):
    """A farm on a side of the network; who speaks to it may be on another.

    Args:
        side: where it is.
        folder: gets all of it.
        name: the server's.
        settings: of the server.
    """

    def __init__(self, side: Side, folder: Path, name: str, **settings: str) -> None:
        folder.mkdir()
        self.side, self.name = side, name
        super().__init__(folder, host=side.address, name=name, peer_private="true", announce="false", **settings)

    def start_server(self) -> Process:
        with self.side.entered():
            return super().start_server()

    def start_slave(self, name: str = "ws01", environment: dict[str, str] | None = None, **settings: str) -> Process:
        with self.side.entered():
            return super().start_slave(name, environment, **settings)

    def start_renderer(self, name: str, blender: Offered) -> Process:
        """Start a slave with a Blender and POV-Ray; start it again, if it was killed."""
        state = self.folder / name / "state"
        state.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / "tried.json", state / "renderers.json")  # trying each anew takes seconds
        return self.start_slave(name, None, methods="blender,povray", **renderer(blender))

    @property
    def peers(self) -> PeerCalls:
        return PeerCalls(self.client)

    def says(self, *words: str) -> str:
        """Run `distren` as this site's admin; return what it said."""
        done = self.runs(*words)
        assert done[0] == 0, done[1]
        return done[1]

    def runs(self, *words: str) -> tuple[int, str]:
        """Run `distren` as this site's admin; return how it ended, and what it said."""
        given = {"DISTREN_SERVER": self.url, "DISTREN_TOKEN": self.token, "COLUMNS": "300"}
        done = run(self.folder / "ada", *words, **given)
        return done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def submits(self, source: Path, *words: str) -> int:
        """Submit a file; return the job's number."""
        return int(json.loads(self.says("submit", str(source), *words, "--anyway", "--json"))["job"])

    def agrees(self, other: Site) -> None:
        """Become the peer of another site, and lend and borrow without limits, both ways."""
        code = json.loads(other.says("peers", "invite", self.name, "--sees-all", "--json"))["code"]
        self.says("peers", "accept", code, "--sees-all")
        for one, two in ((self, other), (other, self)):
            one.says("peers", "lend", two.name)
            one.says("peers", "borrow", two.name)

    def every_frame_once(self, job: int, frames: Sequence[int], folder: Path) -> None:
        """See that a job is done, that its bundle holds each frame's picture once, and that each was won once."""
        assert self.client.job(job).state is JobState.DONE, self.logs()
        bundle = folder / f"{self.name}-{job}.tar"
        self.says("fetch", str(job), "--bundle", str(bundle))
        with tarfile.open(bundle) as opened:
            names = [member.name for member in opened.getmembers() if member.isfile()]
        pictures = [name for name in names if name.endswith(".png")]
        assert len(names) == len(set(names))
        assert len(pictures) == len(frames), names
        assert sorted({file.frame for file in self.output(job) if file.name.endswith(".png")}) == list(frames)
        self.every_frame_once_of(job, max(frames))

    def every_frame_once_of(self, job: int, count: int) -> None:
        """See that each frame of a job was won once."""
        for number in range(1, count + 1):
            states = [attempt.state for attempt in self.client.frame(job, number).attempts]
            assert states.count(AttemptState.WON) == 1, (job, number, states)

    def books_agree(self, other: Site) -> dict[str, Any]:
        """Compare both books, from both ends, by the command line; return what this one said."""
        code, said = self.runs("peers", "audit", other.name, "--json")
        assert code == 0, said
        found: dict[str, Any] = json.loads(said)
        assert found["ours"]["lent_milli"] == found["theirs"]["owed_milli"]
        assert found["ours"]["owed_milli"] == found["theirs"]["lent_milli"]
        return found


@contextmanager
def sites(folder: Path, *names: str, **settings: str) -> Iterator[tuple[Hub, list[Site]]]:
    """Give sites that do not know each other yet, each a namespace of its own; this thread is in one beside them."""
    with hub(1 + len(names)) as net, net.sides[0].entered(), contextlib.ExitStack() as kept:
        made = []
        for side, name in zip(net.sides[1:], names, strict=True):
            made.append(site := Site(side, folder / name, name, **settings))
            kept.callback(site.close)
        yield net, made


def friends(*all_: Site) -> None:
    """Let each share work with each."""
    for place, one in enumerate(all_):
        for other in all_[place + 1 :]:
            one.agrees(other)
