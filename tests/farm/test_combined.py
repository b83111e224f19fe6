"""Tiles and videos on a real farm, by the command line: one slave renders, another only combines."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from farm.protocol.jobs import JobCommand, Requirement, Submission
from farm.words.errors import Malformed
from farm.words.states import JobState
from tests.blenders import blenders, run_inside
from tests.farm.artist import Artist, start_slave
from tests.farm.farm import Farm

SCENE = """#version 3.7;
global_settings { assumed_gamma 1 }
camera { location <0, 2, -6> look_at 0 angle 40 }
light_source { <5, 8, -6>, rgb 1 }
background { rgb <0.2, 0.3, 0.5> }
sphere { <2 * clock - 1, 0, 0>, 1 pigment { rgb <1, 0.3, 0.1> } finish { phong 0.8 reflection 0.2 } }
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "main.pov").write_text(SCENE)
    return folder / "main.pov"


@pytest.fixture
def artist(lite_farm: Farm, tmp_path: Path) -> Artist:
    return Artist(lite_farm, blenders()[0], tmp_path / "home")


def result(farm: Farm, job: int, frame: int) -> tuple[int, str]:
    """Return the attempt and the file that count of a frame."""
    (file,) = [file for file in farm.output(job) if file.frame == frame]
    return max(a.attempt for a in farm.client.frame(job, frame).attempts), file.sha256


def frames_of(video: Path) -> int:
    argv = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(video)]
    return int(json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)["streams"][0]["nb_read_frames"])


def test_tiles_become_pictures_and_pictures_a_video_which_a_retried_tile_makes_anew(
    lite_farm: Farm, artist: Artist, scene: Path, tmp_path: Path
) -> None:
    farm = lite_farm
    farm.start_slave("renders", methods="povray")
    farm.start_slave("combines", methods="image,video")
    farm.until(lambda: all(s.state != "offline" for s in farm.client.slaves()), 60, "both slaves are up")
    out = tmp_path / "out"
    words = ("--frames", "1-3", "--resolution", "96x64", "--tiles", "3x2", "--video", "mp4", "--fps", "12")
    said = artist.says("submit", scene, *words, "--fetch", out, seconds=240)
    assert said.code == 0, said.words
    tiles, pictures, video = (view.job for view in reversed(farm.client.jobs().jobs))
    assert [farm.client.job(job).counts.done for job in (tiles, pictures, video)] == [18, 3, 1]
    assert sorted(path.name for path in out.iterdir()) == ["main.mp4", "main1.png", "main2.png", "main3.png"]
    assert frames_of(out / "main.mp4") == 3
    alone = tmp_path / "alone"
    alone.mkdir()
    render = ["povray", str(scene), "+W96", "+H64", "-D", "+KFI1", "+KFF3", f"+O{alone}/main.png"]
    subprocess.run(render, check=True, capture_output=True)
    for number in (1, 2, 3):
        with Image.open(alone / f"main{number}.png") as one, Image.open(out / f"main{number}.png") as other:
            assert one.tobytes() == other.tobytes()
    assert {a.slave for a in farm.client.frame(video, 1).attempts} == {"combines"}

    before = [result(farm, tiles, 20_002), result(farm, pictures, 2), result(farm, video, 1)]
    untouched = result(farm, pictures, 3)
    farm.client.command(tiles, "retry", JobCommand(frames="20002"))
    farm.until(
        lambda: (
            all(farm.client.job(job).state is JobState.DONE for job in (tiles, pictures, video))
            and result(farm, video, 1)[0] > before[2][0]
        ),
        120,
        "the video is encoded again",
    )
    after = [result(farm, tiles, 20_002), result(farm, pictures, 2), result(farm, video, 1)]
    assert [now[0] > then[0] for then, now in zip(before, after, strict=True)] == [True, True, True]
    assert after[1][1] == before[1][1]
    assert result(farm, pictures, 3) == untouched
    assert farm.audit() == []


def test_frames_that_come_later_and_a_frame_that_is_updated_are_in_the_video(
    lite_farm: Farm, artist: Artist, scene: Path, tmp_path: Path
) -> None:
    farm = lite_farm
    farm.start_slave("all", methods="povray,video")
    farm.until(lambda: any(s.state != "offline" for s in farm.client.slaves()), 60, "the slave is up")
    span = ("--set", "initial_frame=1", "--set", "final_frame=5")  # of the clock
    words = ("--frames", "1-2", "--resolution", "64x48", *span)
    said = artist.says("submit", scene, *words, "--video", "gif", "--wait")
    assert said.code == 0, said.words
    pictures, video = (view.job for view in reversed(farm.client.jobs().jobs))
    seen = []
    for change in (
        ("set", pictures, "frames+=3-5"),
        ("submit", scene, "--update", pictures, "--frames", "2", "--resolution", "64x48", "--set", "quality=2", *span),
    ):
        before = result(farm, video, 1)
        assert artist.says(*change).code == 0
        farm.until(
            lambda: farm.client.job(video).state is JobState.DONE and result(farm, video, 1)[0] > before[0],  # noqa: B023
            120,
            "the video is encoded again",
        )
        seen.append(result(farm, video, 1)[1])
        assert artist.says("fetch", video, tmp_path / str(len(seen))).code == 0
    assert [frames_of(tmp_path / str(n) / "main.gif") for n in (1, 2)] == [5, 5]
    assert seen[0] != seen[1]
    assert farm.audit() == []


def test_what_can_not_be_is_said_before_anything_is_sent(lite_farm: Farm, artist: Artist, scene: Path) -> None:
    farm = lite_farm
    for words, text in [
        (("--tiles", "97x1"), "finer"),
        (("--tiles", "4by4"), "no tiles"),
        (("--video", "vhs"), "no “vhs”"),
        (("--fps", "12"), "Say --video"),
        (("--video", "mp4", "--audio", "none.wav"), "no file none.wav"),
    ]:
        said = artist.says("submit", scene, "--frames", "1", "--resolution", "96x64", "--anyway", *words)
        assert said.code != 0
        assert text in " ".join(said.words.split())
    scene.write_text(SCENE + "global_settings { radiosity { count 20 } }")
    said = artist.says("submit", scene, "--frames", "1", "--tiles", "2x1", "--anyway")
    assert said.code != 0
    assert "radiosity" in said.words
    for method in ("image", "video"):
        job = Submission(name="of nothing", requires=Requirement(method=method), frames="1")
        with pytest.raises(Malformed, match="waits for none"):
            farm.client.submit(job)
    assert farm.client.jobs().jobs == []


@pytest.mark.blender
def test_a_video_of_exr_looks_as_its_scene_and_has_its_sound(lite_farm: Farm, artist: Artist, tmp_path: Path) -> None:
    folder = tmp_path / "sounding"
    folder.mkdir()
    run_inside(blenders()[0], Path(__file__).parent / "make_sounding.py", tmp_path / "making", str(folder))
    start_slave(lite_farm, "both", blenders()[0], methods="blender,video")
    out = tmp_path / "out"
    said = artist.says("submit", folder / "shot.blend", "--video", "mp4", "--fetch", out, seconds=240)
    assert said.code == 0, said.words
    names = [f"shot_{n:04d}{end}" for n in range(1, 5) for end in (".exr", ".view.png")]
    assert sorted(path.name for path in out.iterdir()) == ["shot.mp4", *names]
    argv = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(out / "shot.mp4")]
    facts = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    assert {stream["codec_name"] for stream in facts["streams"]} == {"h264", "aac"}
    assert float(facts["format"]["duration"]) == pytest.approx(0.4, abs=0.1)
    argv = ["ffmpeg", "-v", "error", "-i", str(out / "shot.mp4"), "-frames:v", "1", "-f", "rawvideo"]
    shown = subprocess.run([*argv, "-pix_fmt", "gray", "-"], capture_output=True, check=True).stdout
    with Image.open(out / names[1]) as seen:
        wanted = seen.convert("L").tobytes()
    assert sum(abs(a - b) for a, b in zip(shown, wanted, strict=True)) / len(wanted) < 5


SETS = """
[sets.wide]
width = 128
[sets.red]
declare = { Tint = 1.0 }
frames = "2"
"""


def test_each_set_gets_pictures_of_its_tiles_and_a_video_of_its_own(
    lite_farm: Farm, artist: Artist, scene: Path, tmp_path: Path
) -> None:
    scene.write_text("#ifndef (Tint) #declare Tint = 0.1; #end\n" + SCENE.replace("<1, 0.3, 0.1>", "<Tint, 0.3, 0.1>"))
    (tmp_path / "sets.toml").write_text(SETS)
    lite_farm.start_slave("all", methods="povray,image,video")
    lite_farm.until(lambda: any(s.state != "offline" for s in lite_farm.client.slaves()), 60, "the slave is up")
    out = tmp_path / "out"
    words = ("--frames", "1-2", "--resolution", "96x64", "--tiles", "3x2", "--params", tmp_path / "sets.toml")
    said = artist.says("submit", scene, *words, "--video", "mp4", "--fetch", out, seconds=240)
    assert said.code == 0, said.words
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert names == ["red/main.mp4", "red/main2.png", "wide/main.mp4", "wide/main1.png", "wide/main2.png"]
    assert (frames_of(out / "wide/main.mp4"), frames_of(out / "red/main.mp4")) == (2, 1)
    for name, words in (("wide", ("+W128",)), ("red", ("+W96", "Declare=Tint=1.0"))):
        render = ["povray", str(scene), "+H64", "-D", "+KFI1", "+KFF2", "+SF2", "+EF2", f"+O{tmp_path}/{name}.png"]
        subprocess.run([*render, *words], check=True, capture_output=True)
        with Image.open(tmp_path / f"{name}2.png") as one, Image.open(out / name / "main2.png") as other:
            assert (one.size, one.tobytes()) == (other.size, other.tobytes())


@pytest.mark.blender
def test_a_still_that_is_composited_is_rendered_in_tiles_and_composited_as_a_whole(
    lite_farm: Farm, artist: Artist, tmp_path: Path
) -> None:
    blend, script = tmp_path / "shot.blend", Path(__file__).parents[1] / "methods" / "make_finished.py"
    run_inside(blenders()[0], script, tmp_path / "making", str(blend))
    start_slave(lite_farm, "all", blenders()[0], methods="blender,image")
    words = ("--tiles", "2x1", "--format", "PNG", "--samples", "16", "--set", "denoising=off")
    said = artist.says("submit", blend, *words, "--fetch", tmp_path / "out", seconds=240)
    assert said.code == 0, said.words
    assert "compositor looks over a tile's edge" in " ".join(said.words.split())
    assert [(v.name, v.counts.done) for v in lite_farm.client.jobs().jobs] == [
        ("shot", 1), ("shot (assembled)", 1), ("shot (tiles)", 2)
    ]  # fmt: skip
    said = artist.says("submit", blend, *words[2:], "--fetch", tmp_path / "alone", seconds=240)
    assert said.code == 0, said.words
    (one,), (other,) = (list((tmp_path / folder).iterdir()) for folder in ("out", "alone"))
    with Image.open(one) as tiled, Image.open(other) as whole:
        assert (one.name, tiled.mode, tiled.tobytes()) == (other.name, whole.mode, whole.tobytes())
