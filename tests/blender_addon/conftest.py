from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blender_addon.comms import settling
from blender_addon.comms.link import Link
from blender_addon.ui import desk
from blender_addon.ui.desk import Desk
from farm.methods.base import Offered
from farm.methods.blender.command import command, environment
from farm.package.addon import NAME, main
from farm.protocol.accounts import MakeInvite
from tests.blender_addon.uploads import SIZE, Seat
from tests.blenders import blenders, run_inside
from tests.farm.farm import Farm, running

HERE = Path(__file__).parent

Play = Callable[..., Any]
"""Play a scene of ours in a Blender with the add-on installed; returns what it answers, or raises."""


@pytest.fixture(params=("3.4", "4.2", "4.5", "5.0", "5.2"))
def blender(request: pytest.FixtureRequest) -> Offered:
    """Each Blender that the add-on is tried in, if it is here; two of them are in every test run."""
    found = [b for b in blenders() if b.offer.version.startswith(f"{request.param}.")]
    if not found:
        pytest.skip(f"there is no Blender {request.param} here")
    return found[0]


@pytest.fixture
def project(blender: Offered, tmp_path: Path) -> Path:
    """An artist's folder, made by the same Blender."""
    run_inside(blender, HERE.parent / "farm" / "make_project.py", tmp_path / "made", str(tmp_path / "art"))
    return tmp_path / "art" / "project"


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    (tmp_path / "farm").mkdir()
    with running(tmp_path / "farm", quick=True) as farm:
        yield farm


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    # Busy machines answer late: only the artist is in a hurry.
    monkeypatch.setattr(settling, "HURRY", 120.0)
    monkeypatch.setattr(desk, "CLOSING", 120.0)
    (tmp_path / "copy").mkdir()
    (path := tmp_path / "copy" / "shot.blend").write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def at_a_desk() -> Iterator[Seat]:
    """Set ada at a desk of the add-on's."""
    with contextlib.ExitStack() as kept:

        def seated(link: Link) -> Desk:
            made = Desk()
            made.link, made.user = link, "ada"
            kept.callback(made.leave)
            return made

        yield seated


@pytest.fixture
def invite(farm: Farm) -> str:
    return farm.client.make_invite(MakeInvite()).code


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The artist's home folder."""
    place = tmp_path / "home"
    place.mkdir()
    return place


@pytest.fixture
def play(blender: Offered, tmp_path: Path, home: Path) -> Play:
    main(str(tmp_path / "dist"))

    def played(scene: str, *arguments: object) -> Any:
        answer = tmp_path / "answer.json"
        answer.unlink(missing_ok=True)
        words = [str(tmp_path / "dist" / NAME), str(HERE / scene), str(answer), *map(str, arguments)]
        own = {name: str(home / name.lower()) for name in ("BLENDER_USER_CONFIG", "BLENDER_USER_SCRIPTS")}
        # Older Blenders want the folder that they install into.
        (home / "blender_user_scripts" / "addons").mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            command(blender.launcher, HERE / "make_installed.py", words),
            env={**environment(home), **own}, cwd=home, capture_output=True, text=True, timeout=400, errors="replace",
        )  # fmt: skip
        said = done.stdout[-4000:] + done.stderr[-4000:]
        assert answer.exists(), said
        heard = json.loads(answer.read_text())
        assert "answer" in heard, f"{heard}\n{said}"
        return heard["answer"]

    return played


def names_sent(farm: Farm, job: int) -> list[str]:
    """Return the files that were sent with a job, as they lie in its package."""
    with Link(farm.url, farm.token).fresh() as link:
        packed = link.get(f"/api/jobs/{job}/package")
    with tarfile.open(fileobj=io.BytesIO(packed)) as package:
        return package.getnames()
