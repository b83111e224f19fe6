"""Cheats among strangers, with a real Blender: half the samples, and black pictures."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.client.farmclient import FarmClient
from farm.client.pointcalls import PointCalls
from farm.client.upload import upload_missing
from farm.methods.base import Offered
from farm.package.hashing import hash_file
from farm.package.results import pack
from farm.protocol.accounts import MakeInvite, Register
from farm.protocol.jobs import FileEntry, JobView, Requirement, Submission
from farm.slave.hardware import hardware
from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import pixels, start_slave
from tests.farm.farm import PASSPHRASE, Farm, running
from tests.serving import SlaveCaller

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("a farm of Blenders")]

MADE = Path(__file__).parent / "make_cheats.py"


@pytest.fixture(scope="module")
def blender() -> Offered:
    return blenders()[0]


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory, blender: Offered) -> Path:
    """A folder with the file, its frames with all samples and with half of them, and a black one."""
    folder = tmp_path_factory.mktemp("shot")
    run_inside(blender, MADE, folder / "scratch", str(folder))
    with Image.open(folder / "honest" / "0001.png") as image:
        Image.new(image.mode, image.size).save(folder / "black.png")
    return folder


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm of strangers; nobody falls silent while the test thinks."""
    with running(tmp_path, profile="open", heartbeat_seconds="60", registration="invite", quick=True) as farm:
        yield farm


class Stranger:
    """A user with a slave of which a test says what it returns."""

    def __init__(self, farm: Farm, name: str, blender: Offered) -> None:
        invite = farm.client.make_invite(MakeInvite()).code
        with farm.asking() as client:
            granted = client.register(Register(name=name, passphrase=PASSPHRASE, invite=invite))
        self.client = FarmClient(farm.url, granted.token)
        key = self.client.make_slave_key(f"{name}s")
        machine = hardware().model_copy(update={"contained": True}).model_dump(mode="json")
        offer = {"method": "blender", "version": blender.offer.version, "engines": ["CYCLES"]}
        self.slave = SlaveCaller(farm.url, key.key, key.password, hardware=machine, offers=[offer])

    def lease(self) -> tuple[int, int]:
        """Return an attempt and its frame."""
        (lease,) = self.slave.orders(want=1).leases
        return lease.frames[0].attempt, lease.frames[0].number

    def give(self, attempt: int, frame: int, picture: Path) -> None:
        """Return a picture as a frame's."""
        stream = io.BytesIO()
        pack(stream, {f"{frame:04}.png": picture})
        data = stream.getvalue()
        sha256 = hashlib.sha256(data).hexdigest()
        done: dict[str, Any] = {"attempt": attempt, "sha256": sha256, "inline": base64.b64encode(data).decode()}
        orders = self.slave.orders(finished=[{**done, "seconds": 0.05, "cpu_seconds": 0.01}])
        assert [verdict.verdict for verdict in orders.verdicts] == ["accepted"]

    def points(self) -> int:
        return PointCalls(self.client).points().milli

    def close(self) -> None:
        self.slave.close()
        self.client.close()


def submitted(farm: Farm, shot: Path, blender: Offered) -> int:
    blend = shot / "shot.blend"
    sha256, size = hash_file(blend)
    submission = Submission(
        name="shot",
        requires=Requirement(method="blender", version=blender.offer.version, engine="CYCLES"),
        frames="1-3",
        source="shot.blend",
        files=[FileEntry(path="shot.blend", sha256=sha256, size=size)],
    )
    receiving = farm.client.submit(submission)
    upload_missing(farm.client, receiving, {sha256: blend}, lambda _count: None, 1)
    farm.client.queue(receiving.job)
    return receiving.job


def test_half_the_samples_and_a_black_frame_are_found_out_and_rendered_again_and_no_honest_frame_is_lost(
    farm: Farm, shot: Path, blender: Offered, tmp_path: Path
) -> None:
    job = submitted(farm, shot, blender)
    with (
        contextlib.closing(Stranger(farm, "carl", blender)) as carl,
        contextlib.closing(Stranger(farm, "eve", blender)) as eve,
    ):
        honest = carl.lease()
        half = eve.lease()
        carl.give(*honest, shot / "honest" / f"{honest[1]:04}.png")
        eve.give(*half, shot / "half" / f"{half[1]:04}.png")
        black = eve.lease()
        eve.give(*black, shot / "black.png")
        assert farm.ended(job).state is JobState.DONE
        earned = carl.points()
        for name in ("ws01", "ws02"):
            start_slave(farm, name, blender)

        def undone() -> bool:
            return "eves" not in {slave.name for slave in farm.client.slaves()}

        farm.until(undone, 180, "eve's slave is retired")

        def again() -> JobView | None:
            now = farm.client.job(job)
            frames = [farm.client.frame(job, number) for number in (half[1], black[1])]
            rendered = all(frame.attempts[-1].slave in ("ws01", "ws02") for frame in frames)
            return now if rendered and now.state is JobState.DONE else None

        farm.until(again, 180, "her frames are rendered again")
        assert (carl.points(), eve.points()) == (earned, 0)
    assert {attempt.slave for attempt in farm.client.frame(job, honest[1]).attempts} == {"carls"}
    assert "carls" in {slave.name for slave in farm.client.slaves()}
    for file in farm.output(job):
        target = tmp_path / file.name
        farm.client.fetch_file(job, file, target)
        assert pixels(target) == pixels(shot / "honest" / f"{file.frame:04}.png")
    assert farm.audit() == []
