"""What a real Blender writes at home, the farm brings home: the same names, the same pixels."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

import blender_addon
from blender_addon.inspection import Inspection, from_report
from farm.methods.base import Offered
from farm.methods.blender.method import BlenderMethod
from farm.package.outputs import Outputs, read_outputs
from farm.package.paths import checked_all
from farm.pictures.checker import Checker
from farm.pictures.decode import look
from farm.pictures.exr import Part, read_parts
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.slave.finishing import look as look_at
from farm.slave.opened import Done, read_done
from tests.blenders import newest, run_inside, two
from tests.methods.talk import Child

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("outputs")]

HERE = Path(__file__).parent
FRAMES = (11, 9)
"""Out of order, as a farm does it."""


@dataclass
class Desk:
    """An artist's project that was rendered at home, and a session of the farm on a copy of its files."""

    folder: Path
    slave: Path
    blender: Offered
    child: Child
    rendered: dict[str, list[Done]] = field(default_factory=dict)

    def inspection(self, name: str) -> Inspection:
        report = json.loads((self.folder / "written" / f"{name}.json").read_text())
        return from_report(report, ".".join(self.blender.offer.version.split(".")[:2]))

    def outputs(self, name: str) -> Outputs:
        return read_outputs(self.inspection(name).completed({}))

    def at_home(self, name: str) -> dict[str, Path]:
        """Return what Blender wrote at home, by path."""
        place = self.folder / "written" / name
        return {str(self.folder / p.relative_to(place)): p for p in place.rglob("*") if p.is_file()}

    def render(self, name: str) -> list[Done]:
        """Have the farm's session render the frames of a file."""
        if name not in self.rendered:
            self.rendered[name] = list(self._frames(name))
        return self.rendered[name]

    def sheet(self, name: str) -> JobSheet:
        return JobSheet(
            job=1, revision=1, address="", name=name, method="blender", version="", newer=True, engine="",
            settings=self.inspection(name).completed({}), source=f"shots/{name}.blend", limits=Limits(), files=[],
        )  # fmt: skip

    def _frames(self, name: str) -> Iterator[Done]:
        launch = BlenderMethod().launch(self.blender, self.sheet(name), self.slave, self.slave)
        opened = self.child.ask(launch.open)
        assert opened["event"] == "opened", opened
        for picture in FRAMES:
            out = self.slave / "out" / name / str(picture)
            order: dict[str, Any] = {"do": "render", "attempt": picture, "picture": picture, "number": picture}
            event = self.child.ask({**order, "output": str(out), "cold": False})
            assert event["event"] == "done", event
            done = read_done(event, out)
            assert done is not None
            yield done

    def brought_home(self, name: str) -> dict[str, Path]:
        """Return where the farm's files belong at home."""
        outputs, found = self.outputs(name), {}
        for done in reversed(self.render(name)):
            for file in checked_all(done.files):
                home = outputs.home(file)
                assert home is not None
                found["/".join(home)] = done.files[file]
        return found


@pytest.fixture(scope="module", params=["3.4", "4.5", "5.0"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    found = two()
    if request.param == "3.4" and found[0].launcher.kind != "program":
        pytest.skip("There is no Blender program on this machine.")
    blender = newest() if request.param == "5.0" else found[0 if request.param == "3.4" else -1]
    home, slave = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("slave")
    run_inside(blender, HERE / "make_outputs.py", home / "scratch", str(home))
    collector = Path(next(iter(blender_addon.__path__))) / "report.py"
    run_inside(blender, HERE / "make_home.py", home / "scratch", str(home), str(collector))
    shutil.copytree(home / "shots", slave / "shots", ignore=lambda _, names: [n for n in names if ".blend" not in n])
    shutil.copytree(home / "library", slave / "library")
    sheet = JobSheet(
        job=1, revision=1, address="", name="", method="blender", version="", newer=True, engine="", settings={},
        source="shots/plain.blend", limits=Limits(), files=[],
    )  # fmt: skip
    launch = BlenderMethod().launch(blender, sheet, slave, slave)
    with Child(launch, slave / "log") as child:
        yield Desk(home, slave, blender, child)


NAMES = (
    "plain", "padded", "long_padded", "bare", "no_extension", "other_extension", "same_extension", "backslashes",
    "absolute", "kept", "jpeg", "tiff", "webp", "bmp", "targa", "hdr", "iris", "jpeg2000", "dpx", "exr", "layers",
    "cryptomatte", "stereo", "stereo_padded", "stereo_picture", "stereo_exr", "stereo_exrs", "views", "stereo_nodes",
    "nodes", "groups", "linked", "cameras", "border", "cropped", "cropped_exr", "half", "edit", "two_scenes", "unused",
    "templates", "places", "overscan",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_and_pixels_are_those_of_a_render_at_home(desk: Desk, name: str) -> None:
    if not (desk.folder / "shots" / f"{name}.blend").exists():
        pytest.skip("This Blender knows no such thing.")
    home, ours = desk.at_home(name), desk.brought_home(name)
    assert {path for path in ours if path.startswith("/")} == set(home)
    strays = [at / name for at in (desk.folder, desk.slave) for name in ("pictures", "passes", "elsewhere")]
    assert not [stray for stray in strays if stray.exists()], "all of it is in the frame's own folder"
    for path, at_home in home.items():
        theirs, of_farm = look(at_home), look(ours[path])
        assert of_farm.ok, of_farm
        assert theirs == of_farm, path
        if theirs.pixels is None:  # the header of DPX files holds their path and the time
            start = 2048 if at_home.suffix == ".dpx" else 0
            assert at_home.read_bytes()[start:] == ours[path].read_bytes()[start:], path
        if at_home.suffix == ".exr":
            for one, other in zip(read_parts(at_home), read_parts(ours[path]), strict=True):
                assert entries(one) == entries(other), path
                assert one.channels() == other.channels(), path


def entries(part: Part) -> set[str]:
    """Return what a header holds; the .blend's path travels as a note."""
    return {"File" if name == "Note" else name for name in part.attributes}


def test_good_frames_pass_the_checks_and_each_has_a_thumbnail(desk: Desk, tmp_path: Path) -> None:
    """A border, two eyes in one picture or a scaled size must not fail a frame."""
    asyncio.run(check_all(desk, tmp_path))


async def check_all(desk: Desk, folder: Path) -> None:
    async with Checker() as checker:
        for name in sorted(p.name for p in (desk.folder / "written").iterdir() if p.is_dir() and p.name != "clashes"):
            place = folder / name
            place.mkdir()
            done = desk.render(name)[0]
            looked = await look_at(checker, done, place)
            assert all(facts.ok for facts in looked.values()), (name, looked)
            assert not any(looked[picture].uniform for picture in done.pictures), name
            assert done.pictures.keys() <= looked.keys()
            assert done.pictures or name == "templates", name
            with Image.open(place / "thumbnail.webp") as thumbnail:
                assert thumbnail.size[0] >= 16, name


def test_a_thumbnail_of_exr_shows_what_blender_shows(desk: Desk, tmp_path: Path) -> None:
    for name in ("exr", "layers", "cropped_exr", "cryptomatte"):
        asyncio.run(make_thumbnail(desk.render(name)[0], tmp_path))
        with Image.open(tmp_path / "thumbnail.webp") as ours, Image.open(desk.folder / f"written/{name}.png") as shown:
            assert ours.size == shown.size
            difference = ImageStat.Stat(ImageChops.difference(ours.convert("RGB"), shown.convert("RGB")))
            raw = ImageStat.Stat(shown.convert("RGB"))
        assert max(difference.mean) < 4, (name, difference.mean, raw.mean)


async def make_thumbnail(done: Done, folder: Path) -> None:
    async with Checker() as checker:
        await look_at(checker, done, folder)


def test_cryptomatte_keeps_its_names_and_its_32_bits(desk: Desk) -> None:
    home = {Path(path).name: file for path, file in desk.brought_home("cryptomatte").items()}
    whole = read_parts(home["shot_0009.exr"])
    manifests = [v for p in whole for k, v in p.attributes.items() if k.startswith("cryptomatte/") and "manifest" in k]
    assert any(b"Plane" in manifest for manifest in manifests)
    channels = {name: kind for part in read_parts(home["matte0009.exr"]) for name, kind in part.channels().items()}
    crypto = {name: kind for name, kind in channels.items() if name.startswith("Crypto")}
    assert len(crypto) >= 3
    assert set(crypto.values()) == {"float"}


def test_a_video_becomes_pictures_and_the_job_says_so(desk: Desk) -> None:
    found = desk.inspection("video")
    assert any("video (FFMPEG): its frames are rendered as PNG" in text for text in found.warnings({}))
    assert desk.outputs("video").video == "FFMPEG"
    assert {Path(path).name for path in desk.brought_home("video")} == {"film_0009.png", "film_0011.png"}
    assert found.scene.written[0].name == "film_"


def test_places_of_other_machines_stand_for_folders_too(desk: Desk) -> None:
    ours = desk.brought_home("nodes")
    assert {path for path in ours if "shot_0009" in path and not path.startswith("/")} == {
        r"\\nas\films\passes/shot_0009.png",
        r"C:\films\passes/shot_0009.png",
    }


def test_two_who_write_one_file_are_refused_by_their_names(desk: Desk) -> None:
    assert desk.inspection("nodes").problems({}) == []
    said = desk.inspection("clashes").problems({})
    same = f"would write the same file: {desk.folder}"
    assert said == [
        f"File Output “One” and File Output “Two” in “Group” {same}/passes/deep/a_0009.png.",
        f"The scene's own output and File Output “Three” {same}/pictures/shot_0009.png.",
    ]


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "with-places"])
def test_two_who_write_one_file_are_refused_by_the_renderer_too_for_jobs_may_come_without_a_client(
    desk: Desk, bare: bool
) -> None:
    sheet = desk.sheet("clashes")
    sheet = sheet.model_copy(update={"settings": {}}) if bare else sheet
    opening = BlenderMethod().launch(desk.blender, sheet, desk.slave, desk.slave).open
    assert desk.child.ask(opening)["event"] == "opened"
    out = desk.slave / "out" / f"clashes-{bare}"
    failed = desk.child.ask(
        {"do": "render", "attempt": 9, "picture": 9, "number": 9, "output": str(out), "cold": False}
    )
    first = "File Output “One” and File Output “Two” in “Group” would write the same file: passes/deep/a_0009.png."
    second = "The scene's own output and File Output “Three” would write the same file: shot_0009.png."
    # Without a word on places, the scene's own picture has a folder of its own.
    assert (failed["event"], failed["class"]) == ("failed", "job"), failed
    assert failed["message"] == (first if bare else f"{first} {second}")
    assert not any(out.rglob("*.png"))


def test_a_path_that_blender_does_not_understand_is_refused_and_the_jobs_fault(desk: Desk) -> None:
    if not (desk.folder / "shots" / "unknown.blend").exists():
        pytest.skip("This Blender replaces nothing in paths.")
    (said,) = desk.inspection("unknown").problems({})
    assert said.startswith("The output path of “Shot” is wrong")
    assert "{shot}" in said
    opening = BlenderMethod().launch(desk.blender, desk.sheet("unknown"), desk.slave, desk.slave).open
    assert desk.child.ask(opening)["event"] == "opened"
    order = {"do": "render", "attempt": 9, "picture": 9, "number": 9, "output": str(desk.slave / "out" / "unknown")}
    failed = desk.child.ask({**order, "cold": False})
    assert (failed["event"], failed["class"], "{shot}" in failed["message"]) == ("failed", "job", True), failed
