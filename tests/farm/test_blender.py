"""Real Blenders on a real farm, through the command: good files, bad files, and what we survive."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageChops, ImageStat

from farm.methods.base import Offered
from farm.words.states import FailureClass, FrameState, JobState, PauseReason
from tests.blenders import blenders, run_inside, two
from tests.farm.artist import Artist, metadata, pixels, rendered_at_home, start_slave, submit_unchecked
from tests.farm.farm import Farm, Process, running

pytestmark = [pytest.mark.blender, pytest.mark.xdist_group("a farm of Blenders")]

MADE = Path(__file__).parent / "make_project.py"


@pytest.fixture(scope="module")
def blender() -> Offered:
    """The oldest Blender here, so that all can open its files; a program if there is one."""
    return blenders()[0]


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory, blender: Offered) -> Path:
    """The artist's folder of shots, with good files and bad ones."""
    folder = tmp_path_factory.mktemp("made")
    run_inside(blender, MADE, folder / "scratch", str(folder))
    shots = folder / "project" / "shots"
    spoil(shots)
    return shots


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, blender: Offered) -> Iterator[Farm]:
    """A farm with one slave that has one Blender."""
    with running(tmp_path_factory.mktemp("farm"), quick=True) as farm:
        start_slave(farm, "ws01", blender)
        yield farm


@pytest.fixture
def artist(farm: Farm, blender: Offered, tmp_path: Path) -> Artist:
    return Artist(farm, blender, tmp_path / "home")


@pytest.fixture
def own_farm(tmp_path: Path) -> Iterator[Farm]:
    """A farm without slaves, of which a test may kill what it likes."""
    with running(tmp_path, quick=True) as farm:
        yield farm


def spoil(shots: Path) -> None:
    """Make bad files of good ones."""
    whole = (shots / "heavy.blend").read_bytes()
    (shots / "truncated.blend").write_bytes(whole[: len(whole) * 2 // 3])
    (shots / "garbage.blend").write_bytes(b"This is a letter, no film.\n" * 2000)
    at, version = (8, b"v999") if whole[7:8] in b"-_" else (12, b"v9900")
    newer = whole[:at] + version + whole[at + len(version) :]
    (shots / "newer.blend").write_bytes(newer)
    odd = (shots / "odd_range.blend").read_bytes()
    assert odd.count(struct.pack("<ii", 123456, 123456)) >= 1
    (shots / "odd_range.blend").write_bytes(odd.replace(struct.pack("<ii", 123456, 123456), struct.pack("<ii", 20, 5)))
    for name, gone in (("no_texture", b"wood.png"), ("no_library", b"props.blend")):
        data = (shots / f"{name}.blend").read_bytes()
        assert gone in data
        (shots / f"{name}.blend").write_bytes(data.replace(gone, b"q" + gone[1:]))


def children(slave: Process) -> list[psutil.Process]:
    """Return all that a slave has started; renderers have an environment of their own, so its mark is not there."""
    return psutil.Process(slave.popen.pid).children(recursive=True)


def blenders_of(slave: Process) -> list[psutil.Process]:
    """Return the living renderers of a slave, without what contains them."""
    found = []
    for process in children(slave):
        with contextlib.suppress(psutil.NoSuchProcess):
            words = process.cmdline()
            if any(word.endswith("driver.py") for word in words) and "bwrap" not in words[0]:
                found.append(process)
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that are still there."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def in_mid_frame(farm: Farm, slave: Process, job: int) -> psutil.Process:
    """Wait until the first frame of a heavy job is done, and so the second is being rendered; return its Blender."""
    farm.done_frames(job, 1, 90)
    return blenders_of(slave)[0]


def names(farm: Farm, job: int) -> list[str]:
    return [file.name for file in farm.output(job)]


# --- good files ---


@pytest.mark.parametrize("index", [0, 1], ids=["program", "package"])
def test_the_farms_pictures_are_those_of_the_artists_own_blender(tmp_path: Path, index: int) -> None:
    found = two()
    if index >= len(found):
        pytest.skip("There is no Blender program on this machine.")
    blender, place, home = found[index], tmp_path / "artist", tmp_path / "at_home"
    run_inside(blender, MADE, tmp_path / "scratch", str(place))
    blend = place / "project" / "shots" / "film.blend"
    rendered_at_home(blender, blend, [1, 4, 7], home)
    with running(tmp_path, quick=True) as farm:
        artist = Artist(farm, blender, tmp_path / "home")
        job = artist.submits(blend, "--frames", "1-7x3", "--anyway")
        shutil.rmtree(place)  # what is not in the job is nowhere: absolute paths lead into the job
        start_slave(farm, "ws01", blender)
        assert farm.ended(job).state is JobState.DONE, farm.client.job(job).message
        assert artist.says("fetch", job, tmp_path / "pictures").code == 0
    expected = ["film_001.png", "film_004.png", "film_007.png"]
    assert sorted(p.name for p in (tmp_path / "pictures").iterdir()) == expected
    for name in expected:
        assert pixels(tmp_path / "pictures" / name) == pixels(home / name)


def test_a_slave_fetches_only_the_files_that_its_frames_need_and_the_rest_waits_for_approval(
    farm: Farm, artist: Artist, shots: Path, tmp_path: Path
) -> None:
    with artist.starts("submit", shots / "film.blend", "--approval", "--wait", "--fetch", tmp_path / "out") as command:
        job = farm.until(
            lambda: next((j.job for j in farm.client.jobs(search="film").jobs), None), 60, "it is submitted"
        )
        view = farm.reached(job, JobState.PAUSED, 60)
        assert (view.pause_reason, view.counts.done) == (PauseReason.APPROVAL, 3)
        probes = {file.frame for file in farm.output(job)}
        here = {int(p.stem[-3:]) for p in (farm.folder / "ws01" / "work").rglob("wave_*.png")}
        # Motion blur reads the neighbours, too; before its first picture and behind its last a sequence stands still.
        assert here == {1, 12} | {n for n in range(1, 13) if any(abs(n - probe) <= 1 for probe in probes)}
        assert len(here) < 9
        said = artist.says("approve", job)
        assert said.code == 0, said
        out, err = command.communicate(timeout=90)
        assert command.returncode == 0, out + err
        assert f"distren approve {job}" in " ".join(err.split())
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"film_{n:03}.png" for n in range(1, 13)]


def test_range_and_step_are_the_files_own(farm: Farm, artist: Artist, shots: Path) -> None:
    job = artist.submits(shots / "stepped.blend")
    assert farm.client.job(job).frames == "2-8x3"
    assert farm.ended(job).state is JobState.DONE
    assert names(farm, job) == ["film_002.png", "film_005.png", "film_008.png"]


def test_another_scene_of_the_file_is_rendered_by_its_name(farm: Farm, artist: Artist, shots: Path) -> None:
    job = artist.submits(shots / "night.blend", "--scene", "Night")
    assert farm.ended(job).state is JobState.DONE
    assert names(farm, job) == ["night_011.png", "night_012.png"]


def test_the_edit_is_rendered_as_the_sequencer_has_it(
    farm: Farm, artist: Artist, blender: Offered, shots: Path, tmp_path: Path
) -> None:
    rendered_at_home(blender, shots / "edit.blend", [1, 4], tmp_path / "at_home")
    said = artist.says("submit", shots / "edit.blend", "--frames", "1,4", "--fetch", tmp_path / "out")
    assert said.code == 0, said
    assert "renders the edit" in said.words
    for name in ("film_001.png", "film_004.png"):
        assert pixels(tmp_path / "out" / name) == pixels(tmp_path / "at_home" / name)
    assert pixels(tmp_path / "out" / "film_001.png") != pixels(tmp_path / "out" / "film_004.png")


def test_a_video_becomes_pictures_and_says_so(farm: Farm, artist: Artist, shots: Path) -> None:
    said = artist.says("submit", shots / "movie.blend", "--frames", "1-2", "--json")
    assert said.code == 0, said
    job = said.json["job"]
    assert "video (FFMPEG)" in artist.says("submit", shots / "movie.blend", "--dry-run").words
    assert farm.ended(job).state is JobState.DONE
    assert names(farm, job) == ["film_001.png", "film_002.png"]
    assert "a video in the file (FFMPEG): its frames are rendered as pictures" in artist.says("show", job).words


def test_the_thumbnail_of_exr_shows_what_the_artist_sees(
    farm: Farm, artist: Artist, shots: Path, tmp_path: Path
) -> None:
    said = artist.says("submit", shots / "stepped.blend", "--frames", "2", "--format", "PNG", "--fetch", tmp_path)
    assert said.code == 0, said
    job = artist.submits(shots / "stepped.blend", "--frames", "2", "--format", "OPEN_EXR")
    assert farm.ended(job).state is JobState.DONE
    assert names(farm, job) == ["film_002.exr"]
    with (
        Image.open(io.BytesIO(farm.client.thumbnail(job, 2))) as thumbnail,
        Image.open(tmp_path / "film_002.png") as picture,
    ):
        difference = ImageChops.difference(thumbnail.convert("RGB"), picture.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < 5


def test_all_outputs_come_together_or_to_their_own_places_and_never_over_something_else(
    farm: Farm, artist: Artist, shots: Path, tmp_path: Path
) -> None:
    job = artist.submits(shots / "passes.blend", "--frames", "1-2")
    assert farm.ended(job).state is JobState.DONE
    assert f"//../passes/; {shots.parent.parent}/elsewhere/passes/" in artist.says("show", job).words
    assert artist.says("fetch", job, tmp_path / "out").code == 0
    inside = {f"{folder}_000{n}.png" for folder in ("passes/wood", "passes-2/wood") for n in (1, 2)}
    there = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert there == {"film_001.exr", "film_002.exr", *inside}

    refused = artist.says("fetch", job, tmp_path / "unused", "--home")
    assert (refused.code, "Say --yes" in refused.words) == (6, True), refused
    own, other = shots.parent / "passes", shots.parent.parent / "elsewhere" / "passes"
    assert not own.exists()
    own.mkdir()
    (own / "wood_0001.png").write_text("mine")
    said = artist.says("fetch", job, tmp_path / "unused", "--home", "--yes")
    assert (said.code, "passes/wood_0001.png" in said.words) == (1, True), said
    assert (own / "wood_0001.png").read_text() == "mine"
    assert pixels(own / "wood_0002.png") == pixels(other / "wood_0002.png")
    assert sorted(p.name for p in (shots.parent / "pictures").iterdir()) == ["film_001.exr", "film_002.exr"]
    assert not (tmp_path / "unused").exists()


def test_two_nodes_that_write_one_file_are_refused_before_the_upload(farm: Farm, artist: Artist, shots: Path) -> None:
    said = artist.says("submit", shots / "clash.blend")
    assert said.code == 6, said
    assert "File Output “File Output” and File Output “File Output.001” would write the same file" in said.words


def test_pictures_say_the_files_name_but_no_path_of_the_slave(
    farm: Farm, artist: Artist, shots: Path, tmp_path: Path
) -> None:
    said = artist.says("submit", shots / "stamped.blend", "--frames", "1", "--fetch", tmp_path / "out")
    assert said.code == 0, said
    picture = tmp_path / "out" / "film_001.png"
    assert str(farm.folder).encode() not in picture.read_bytes()
    assert "shots/stamped.blend" in metadata(picture)["Note"]
    assert "take 3" in metadata(picture)["Note"]


# --- bad files, before anything is sent ---

BAD = {
    "truncated": "truncated.blend is damaged: it ends too early — Save it again in Blender, or copy it anew.",
    "garbage": "garbage.blend is no .blend file — Name a file that Blender saved.",
    "newer": "newer.blend was saved by Blender 9.99, which is newer than any here",
    "no_camera": "Problem: The scene “Shot” has no camera.",
    "no_texture": "Problem: Missing: image qood.png, material “Wood”:",
    "no_library": "Problem: Missing: library",
    "odd_range": "The scene “Shot” has an empty frame range (20 to 5). Say which frames: --frames 1-100.",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_reason_and_nothing_is_sent(
    farm: Farm, artist: Artist, shots: Path, name: str
) -> None:
    said = artist.says("submit", shots / f"{name}.blend")
    assert said.code == 6, said
    assert BAD[name] in said.words
    assert f"{name}.blend" in said.words or f"“{name}”" in said.words
    assert farm.client.jobs(search=name).jobs == []


@pytest.mark.parametrize("frames", ["10-5", "", "1-", "one", "-3", "1-999999999999", "1x0"])
def test_a_range_that_is_none_is_named_before_the_file_is_read(
    farm: Farm, artist: Artist, shots: Path, frames: str
) -> None:
    said = artist.says("submit", shots / "heavy.blend", f"--frames={frames}")
    assert said.code == 2, said
    assert frames in said.err
    assert farm.client.jobs(search="heavy").jobs == []


# --- bad files that reach a slave all the same ---

UNCHECKED = {
    "truncated": "truncated.blend",
    "garbage": "garbage.blend",
    "newer": "newer.blend was saved by Blender 9.99",
    "no_camera": "The scene “Shot” has no camera.",
    "no_texture": "image qood.png: //../assets/qood.png.",
    "no_library": "library qrops.blend: //../assets/qrops.blend",
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_bad_file_on_a_slave_is_the_jobs_fault_and_said_once(
    farm: Farm, artist: Artist, blender: Offered, shots: Path, name: str
) -> None:
    job = submit_unchecked(farm.client, shots / f"{name}.blend", blender)
    view = farm.ended(job)
    assert view.state is JobState.FAILED
    assert view.counts.failed == 2
    frame = farm.client.frame(job, 1)
    assert frame.state is FrameState.FAILED
    assert {a.failure_class for a in frame.attempts} == {FailureClass.JOB}
    assert UNCHECKED[name] in frame.message
    assert frame.message.lower().count(f"frame 1 of job {job}") == 1
    assert frame.message.count(f"job {job}") == 1
    assert f"{name}.blend" in frame.message
    assert str(farm.folder) not in frame.message
    assert view.message == frame.message
    said = artist.says("show", job)
    assert said.words.count(f"Frame 2 of job {job}") == 1
    said = artist.says("watch", job)
    assert said.code == 7, said
    assert f"Job {job} is failed: 0 of 2 frames are done, 1-2 failed." in said.words
    assert artist.says("logs", f"{job}/1").code == (0 if frame.attempts[-1].has_log else 5)


# --- what we survive ---


@pytest.mark.soak
def test_a_killed_blender_costs_one_attempt_and_leaves_nothing(
    own_farm: Farm, blender: Offered, shots: Path, tmp_path: Path
) -> None:
    slave = start_slave(own_farm, "ws01", blender)
    artist = Artist(own_farm, blender, tmp_path / "home")
    job = artist.submits(shots / "heavy.blend")
    in_mid_frame(own_farm, slave, job).kill()
    assert own_farm.ended(job, 120).state is JobState.DONE
    attempts = [a for n in (1, 2) for a in own_farm.client.frame(job, n).attempts]
    (failed,) = [a for a in attempts if a.failure_class]
    assert failed.failure_class is FailureClass.SLAVE
    assert "the renderer was killed" in failed.message
    assert own_farm.audit() == []
    started = children(slave)
    slave.stop()
    assert not alive(started)


@pytest.mark.soak
def test_a_killed_slave_takes_its_blender_along_and_comes_back(
    own_farm: Farm, blender: Offered, shots: Path, tmp_path: Path
) -> None:
    slave = start_slave(own_farm, "ws01", blender)
    job = Artist(own_farm, blender, tmp_path / "home").submits(shots / "heavy.blend")
    in_mid_frame(own_farm, slave, job)
    started = children(slave)
    slave.kill()
    own_farm.until(lambda: not alive(started), 5, "the Blender of the killed slave is gone")
    again = start_slave(own_farm, "ws01", blender)
    assert own_farm.ended(job, 120).state is JobState.DONE
    assert names(own_farm, job) == ["film_001.png", "film_002.png"]
    started = children(again)
    again.stop()
    assert not alive(started)
    assert own_farm.audit() == []


@pytest.mark.soak
def test_submit_and_wait_outlives_a_killed_server(
    own_farm: Farm, blender: Offered, shots: Path, tmp_path: Path
) -> None:
    slave = start_slave(own_farm, "ws01", blender)
    artist, out = Artist(own_farm, blender, tmp_path / "home"), tmp_path / "out"
    with artist.starts("submit", shots / "heavy.blend", "--wait", "--fetch", out) as command:
        own_farm.until(lambda: own_farm.client.jobs().jobs, 60, "it is submitted")
        in_mid_frame(own_farm, slave, 1)
        own_farm.server.kill()
        time.sleep(1.5)
        own_farm.start_server()
        said, errors = command.communicate(timeout=120)
        assert command.returncode == 0, said + errors
        assert sorted(p.name for p in out.iterdir()) == ["film_001.png", "film_002.png"]
        assert own_farm.audit() == []


def test_two_slots_render_two_frames_at_once(own_farm: Farm, blender: Offered, shots: Path, tmp_path: Path) -> None:
    slave = start_slave(own_farm, "ws01", blender, slots="2")
    job = Artist(own_farm, blender, tmp_path / "home").submits(shots / "heavy.blend")
    own_farm.until(lambda: len(blenders_of(slave)) == 2, 60, "two Blenders run")
    assert own_farm.ended(job, 120).state is JobState.DONE
    assert len(names(own_farm, job)) == 2
