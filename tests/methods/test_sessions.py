from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.methods.base import Offered
from farm.methods.blender.method import BlenderMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from tests.blenders import run_inside
from tests.living import all_gone
from tests.methods.talk import Child

pytestmark = pytest.mark.blender


@pytest.fixture
def start(blender: Offered, shots: Path, tmp_path: Path) -> Callable[..., Child]:
    """Start a session on one of the small files."""

    def started(shot: str, root: Path = shots, relocate: dict[str, str] | None = None, **settings: Any) -> Child:
        sheet = JobSheet(
            job=1,
            revision=1,
            address="distren://home/1",
            name=shot,
            method="blender",
            version="",
            newer=True,
            engine="",
            settings={**settings, "relocate": relocate},
            source=f"shots/{shot}.blend",
            limits=Limits(),
            files=[],
        )
        launch = BlenderMethod().launch(blender, sheet, root, tmp_path)
        return Child(launch, tmp_path / "log")

    return started


def render(child: Child, picture: int, output: Path, **more: Any) -> dict[str, Any]:
    return child.ask(
        {"do": "render", "attempt": picture, "picture": picture, "number": picture, "output": str(output), **more}
    )


def colour(path: str) -> tuple[int, ...]:
    with Image.open(path) as image:
        pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(map(int, pixel))


def test_one_session_renders_frames_in_any_order_under_their_names_at_home(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    with start("plain") as child:
        hello = child.until("hello")
        assert hello["version"][0].isdigit()
        assert "CYCLES" in hello["engines"]
        opened = child.ask(child.opening)
        assert opened["facts"]["scene"] == "Shot"
        assert opened["facts"]["frames"] == [2, 8, 2]
        for number in (8, 2):
            done = render(child, number, tmp_path / f"out{number}")
            assert done["files"] == [str(tmp_path / f"out{number}" / f"shot_{number:03d}_x.png")]
            assert done["attempt"] == number
            assert done["seconds"] > 0
            assert done["memory"] > 10_000_000
        cold = render(child, 8, tmp_path / "cold", cold=True)
        assert cold["load_seconds"] == 0
    with Image.open(tmp_path / "out8" / "shot_008_x.png") as warm, Image.open(cold["files"][0]) as again:
        assert warm.size == (32, 18)
        assert warm.tobytes() == again.tobytes()


def test_a_frame_is_the_one_that_blender_renders_by_itself(
    start: Callable[..., Child], shots: Path, tmp_path: Path, blender: Offered
) -> None:
    if blender.launcher.kind != "program":
        pytest.skip("The package has no command line to compare with.")
    alone = tmp_path / "alone"
    argv = [str(blender.launcher.program), "-b", "--factory-startup", str(shots / "shots" / "plain.blend")]
    frames = ["-o", f"{alone}/f_###", "-s", "4", "-e", "6", "-j", "2", "-a"]
    subprocess.run([*argv, *frames], check=True, capture_output=True, timeout=60)
    with start("plain") as child:
        child.ask(child.opening)
        for number in (6, 4):
            path = render(child, number, tmp_path / str(number))["files"][0]
            with Image.open(path) as ours, Image.open(alone / f"f_{number:03d}.png") as theirs:
                assert ours.tobytes() == theirs.tobytes()


def test_files_of_the_compositor_go_into_the_frames_folder(start: Callable[..., Child], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start("passes") as child:
        child.ask(child.opening)
        done = render(child, 4, out)
    assert {Path(f).relative_to(out).as_posix() for f in done["files"]} == {"shot_004_x.png", "passes/depth_0004.png"}


def test_settings_change_the_picture_and_a_video_becomes_pictures(start: Callable[..., Child], tmp_path: Path) -> None:
    with start("movie", resolution_percentage=200, samples=1, scene="Shot") as child:
        opened = child.ask(child.opening)
        assert "video" in " ".join(opened["warnings"])
        done = render(child, 4, tmp_path / "out")
        with Image.open(done["files"][0]) as image:
            assert (image.format, image.size) == ("PNG", (64, 36))


def test_absolute_paths_of_the_artist_are_found_in_the_jobs_tree(
    start: Callable[..., Child], shots: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "slave"
    shutil.copytree(shots, elsewhere)
    (elsewhere / "assets" / "textures" / "sky.png").unlink()
    shutil.copy(elsewhere / "assets" / "textures" / "wood.png", elsewhere / "assets" / "textures" / "sky.png")
    with start("absolute", root=elsewhere, relocate={str(shots): "."}) as child:
        assert child.ask(child.opening)["event"] == "opened"
        red, green, blue = colour(render(child, 2, tmp_path / "out")["files"][0])
    assert green > 100, "the texture of the slave's own tree is what is seen"
    assert red < 60
    assert blue < 60


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        ("no_camera", ["Shot", "no camera"]),
        ("missing_texture", ["missing", "Gone", "gone.png"]),
        ("nothing", ["not here"]),
    ],
)
def test_what_the_job_lacks_is_named_before_rendering(start: Callable[..., Child], shot: str, words: list[str]) -> None:
    with start(shot) as child:
        failed = child.ask(child.opening)
    assert failed["event"] == "failed"
    assert failed["attempt"] is None
    assert failed["class"] == "job"
    for word in words:
        assert word in failed["message"]


def test_a_missing_library_is_named(start: Callable[..., Child], shots: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "slave"
    shutil.copytree(shots, elsewhere)
    (elsewhere / "assets" / "props.blend").unlink()
    with start("plain", root=elsewhere) as child:
        failed = child.ask(child.opening)
    assert failed["class"] == "job"
    assert "props.blend" in failed["message"]


def test_all_that_is_missing_is_named_in_one_message(
    start: Callable[..., Child], shots: Path, tmp_path: Path, blender: Offered
) -> None:
    elsewhere = tmp_path / "slave"
    shutil.copytree(shots, elsewhere)
    for gone in ("textures/sky.png", "udim/skin.1002.png", "title.ttf"):
        (elsewhere / "assets" / gone).unlink()
    change(elsewhere / "shots" / "gaps.blend", b"Filmic\0", b"Filmiq\0")
    change(elsewhere / "assets" / "props.blend", b"GRProps\0", b"GRPrans\0")
    with start("gaps", root=elsewhere) as child:
        failed = child.ask(child.opening)
    assert failed["class"] == "job"
    for word in (
        "image sky.png: //../assets/textures/sky.png",
        "image Skin, tile 1002",
        "font Title: //../assets/title.ttf",
        "volume Smoke: //../assets/smoke.vdb",
        "Props in library",
        "node type of “Glow” in Doll paint",
        "view transform “Filmiq”",
        "allow_missing",
    ):
        assert word in failed["message"]
    assert failed["message"].count("; ") == 6, "and nothing else is said to be missing"
    with start("gaps", root=elsewhere, allow_missing=True) as child:
        child.ask(child.opening)
        assert render(child, 2, tmp_path / "out")["event"] == "done"


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def test_a_truncated_file_is_the_jobs_fault(start: Callable[..., Child], shots: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "slave"
    (elsewhere / "shots").mkdir(parents=True)
    data = (shots / "shots" / "plain.blend").read_bytes()
    (elsewhere / "shots" / "plain.blend").write_bytes(data[: len(data) // 2])
    with start("plain", root=elsewhere) as child:
        failed = child.ask(child.opening)
    assert failed["class"] == "job"
    assert "plain.blend" in failed["message"]


def test_a_build_without_the_denoiser_says_so(start: Callable[..., Child], blender: Offered, tmp_path: Path) -> None:
    has = "CYCLES+OIDN" in blender.offer.engines
    with start("denoised") as child:
        answer = child.ask(child.opening)
        if has:
            assert answer["event"] == "opened"
        else:
            assert answer["class"] == "slave"
            assert "denois" in answer["message"]
    with start("denoised", denoising=False) as child:
        assert child.ask(child.opening)["event"] == "opened"


def test_blocked_scripts_fail_by_name_and_allowed_ones_run(start: Callable[..., Child], tmp_path: Path) -> None:
    with start("driven", scripts=False) as child:
        failed = child.ask(child.opening)
        assert failed["event"] == "failed"
        assert "driver of Plane, location: len(str(frame))" in failed["message"]
    with start("driven_late", scripts=False) as child:
        assert child.ask(child.opening)["event"] == "opened", "nothing asked for it yet"
        failed = render(child, 2, tmp_path / "out")
        assert (failed["event"], failed["class"]) == ("failed", "job")
        assert "len(str(frame))" in failed["message"]
    with start("driven", scripts=True) as child:
        assert child.ask(child.opening)["event"] == "opened"


def test_add_ons_that_came_with_a_job_run_only_where_the_files_python_does(start: Callable[..., Child]) -> None:
    with start("plain", scripts=False, sent_addons="mover") as child:
        failed = child.ask(child.opening)
        assert (failed["event"], failed["class"]) == ("failed", "job")
        assert "add-ons (mover), which this farm does not run" in failed["message"]
    with start("plain", scripts=True, sent_addons="mover") as child:
        failed = child.ask(child.opening)
        assert (failed["event"], failed["class"]) == ("failed", "job")
        assert "The add-on mover does not work in Blender" in failed["message"], "for it is not there"


def test_an_unwritable_folder_is_the_slaves_fault_and_the_session_lives_on(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with start("plain") as child:
        child.ask(child.opening)
        failed = render(child, 2, tmp_path / "file" / "out")
        assert failed["event"] == "failed"
        assert failed["class"] == "slave"
        assert failed["attempt"] == 2
        assert render(child, 4, tmp_path / "out")["event"] == "done"


def test_it_ends_when_its_slave_is_gone_even_in_the_middle_of_a_frame(
    start: Callable[..., Child], tmp_path: Path
) -> None:
    with start("plain", samples=100_000, resolution_x=2000, resolution_y=2000) as child:
        child.ask(child.opening)
        child.say(
            {"do": "render", "attempt": 1, "picture": 2, "number": 2, "output": str(tmp_path / "out"), "cold": False}
        )
        assert child.until("progress")["memory"] > 10_000_000
        assert child.process.stdin is not None
        child.process.stdin.close()
        child.process.wait(10)


def test_no_orphan_is_left_by_a_killed_parent(blender: Offered, shots: Path, tmp_path: Path) -> None:
    parent = os.fork()
    if parent == 0:  # a slave that dies
        launch = BlenderMethod().launch(blender, sheet_of("plain"), shots, tmp_path)
        child = Child(launch, tmp_path / "log")
        child.until("hello")
        (tmp_path / "pid").write_text(str(child.process.pid))
        time.sleep(60)
    until = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert all_gone(int((tmp_path / "pid").read_text()))


def sheet_of(shot: str) -> JobSheet:
    return JobSheet(
        job=1,
        revision=1,
        address="distren://home/1",
        name=shot,
        method="blender",
        version="",
        newer=True,
        engine="",
        settings={},
        source=f"shots/{shot}.blend",
        limits=Limits(),
        files=[],
    )


def test_the_driver_takes_no_more_threads_than_it_is_told(start: Callable[..., Child]) -> None:
    with start("plain") as child:
        free = child.ask(child.opening)["facts"]["threads"]
    assert free == os.cpu_count()
    with start("plain") as child:
        assert child.ask({**child.opening, "threads": 3})["facts"]["threads"] == 3


def test_messages_name_files_by_their_place_in_the_job(start: Callable[..., Child], shots: Path) -> None:
    with start("missing_texture") as child:
        said = child.ask(child.opening)["message"]
    assert "image Gone: //../assets/textures/gone.png" in said
    assert str(shots) not in said


def test_warm_frames_equal_cold_ones_late_in_a_session_with_moving_instances_and_a_sequence(
    blender: Offered, tmp_path: Path
) -> None:
    folder = tmp_path / "job"
    run_inside(blender, Path(__file__).parent / "make_moving.py", tmp_path / "making", str(folder))
    sheet = JobSheet(
        job=1, revision=1, address="", name="moving", method="blender", version="", newer=True, engine="",
        settings={}, source="moving.blend", limits=Limits(), files=[],
    )  # fmt: skip
    launch = BlenderMethod().launch(blender, sheet, folder, tmp_path)
    pictures = {}
    with Child(launch, tmp_path / "log") as child:
        opened = child.ask(child.opening)
        assert opened["event"] == "opened"
        for number in (*range(1, 15), 5):
            pictures[number] = render(child, number, tmp_path / f"warm{number}-{len(pictures)}")["files"][0]
        # The last is a warm one again, on what the cold one before it has prepared.
        for number, how in ((5, {"cold": True}), (14, {"cold": True, "keep": True}), (9, {})):
            cold = render(child, number, tmp_path / f"again{number}", **how)["files"][0]
            with Image.open(pictures[number]) as warm, Image.open(cold) as anew:
                assert warm.tobytes() == anew.tobytes(), f"frame {number} went stale"
    with Image.open(pictures[1]) as first, Image.open(pictures[14]) as last:
        assert first.tobytes() != last.tobytes(), "something moves"
