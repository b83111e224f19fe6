"""Videos by a real ffmpeg, behind the session wire."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from farm.methods.base import MethodConfig
from farm.methods.video.find import encoder, find, offered
from farm.methods.video.formats import FORMATS
from farm.methods.video.method import VideoMethod
from farm.protocol.jobs import Limits
from farm.protocol.slaves import JobSheet
from farm.words.errors import NotASetup
from tests.methods.talk import Child

FPS, COUNT = 12.5, 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with pictures of some frames, from black to red, in a folder of each; of an odd size."""
    root = tmp_path / "job"
    for place, number in enumerate(range(8, 8 + COUNT)):
        folder = root / "depends" / "home" / "3" / str(number)
        (folder / "passes").mkdir(parents=True)
        Image.new("RGB", (97, 71), (25 * place, 0, 0)).save(folder / f"shot_{number:04d}.png")
        Image.new("RGB", (97, 71), (0, 255, 0)).save(folder / "passes" / f"a{number}.png")
    return root


def made(root: Path, tmp_path: Path, source: str = "", folders: list[str] | None = None, **settings: Any) -> Any:
    """Encode the pictures; return the last event and the progress before it."""
    method = VideoMethod()
    (offer,) = method.offers(MethodConfig())
    sheet = JobSheet(
        job=4, revision=1, address="", name="", method="video", version="", newer=False, engine="",
        settings={"fps": FPS, **settings}, source=source, limits=Limits(), files=[],
    )  # fmt: skip
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    all_ = [f"depends/home/3/{number}" for number in range(8, 8 + COUNT)]
    with Child(method.launch(offer, sheet, root, scratch), tmp_path / "log") as child:
        assert child.ask(child.opening)["event"] == "opened"
        order = {"do": "render", "attempt": 1, "picture": 0, "number": 0, "output": str(tmp_path / "out")}
        child.say({**order, "depends": all_ if folders is None else folders})
        told = []
        for event in child.events():
            if event["event"] in ("done", "failed"):
                return event, told
            told.append(event["fraction"])
    raise AssertionError(child.log.read_text())


def probed(path: Path) -> dict[str, Any]:
    argv = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    return found


def middle(path: Path, frame: int) -> tuple[int, ...]:
    """Return a pixel of one of a video's pictures."""
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"select=eq(n\\,{frame})", "-frames:v", "1"]
    data = subprocess.run([*argv, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    at = len(data) // 2 // 3 * 3
    return tuple(data[at : at + 3])


@pytest.mark.parametrize(
    ("kind", "codec", "name", "layout"),
    [
        ("mp4", "h264", "film.mp4", "yuv420p"),
        ("av1", "av1", "film.mp4", "yuv420p"),
        ("prores", "prores", "film.mov", "yuv422p10le"),
        ("webm", "vp9", "film.webm", "yuv420p"),
        ("gif", "gif", "film.gif", "bgra"),
    ],
)
def test_all_kinds_of_video_have_all_pictures_at_their_rate(
    root: Path, tmp_path: Path, kind: str, codec: str, name: str, layout: str
) -> None:
    event, told = made(root, tmp_path, format=kind, name="film")
    assert event["event"] == "done", event
    (file,) = map(Path, event["files"])
    assert file.name == name
    facts = probed(file)
    (stream,) = facts["streams"]
    assert (stream["codec_name"], stream["pix_fmt"]) == (codec, layout)
    assert int(stream["nb_read_frames"]) == COUNT
    assert stream["r_frame_rate"] == "25/2"
    assert (stream["width"], stream["height"]) == ((97, 71) if kind == "gif" else (96, 70))
    first, last = middle(file, 0), middle(file, COUNT - 1)
    assert max(first) < 20
    assert last[0] == pytest.approx(225, abs=12)
    assert max(last[1:]) < 25
    assert told == sorted(told)
    assert not told or told[-1] <= 1


def test_a_video_begins_to_play_before_all_of_it_is_there(root: Path, tmp_path: Path) -> None:
    event, _ = made(root, tmp_path)
    data = Path(event["files"][0]).read_bytes()
    assert Path(event["files"][0]).name == "shot.mp4"
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    (stream,) = probed(Path(event["files"][0]))["streams"]
    assert (stream["color_space"], stream["color_range"]) == ("bt709", "tv")


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "aac"), ("webm", "opus"), ("prores", "pcm_s16le")])
def test_sound_is_heard_and_ends_with_the_pictures(root: Path, tmp_path: Path, kind: str, codec: str) -> None:
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=5", str(root / "sound.flac")]
    subprocess.run(argv, check=True)
    event, _ = made(root, tmp_path, "sound.flac", format=kind)
    assert event["event"] == "done", event
    facts = probed(Path(event["files"][0]))
    assert {stream["codec_name"] for stream in facts["streams"]} >= {codec}
    assert float(facts["format"]["duration"]) == pytest.approx(COUNT / FPS, abs=0.1)


def test_what_is_transparent_stays_so_where_the_format_can_and_is_black_elsewhere(root: Path, tmp_path: Path) -> None:
    for path in root.glob("depends/home/3/*/shot_*.png"):
        Image.new("RGBA", (64, 48), (255, 255, 255, 0)).save(path)
    event, _ = made(root, tmp_path, format="prores")
    assert probed(Path(event["files"][0]))["streams"][0]["pix_fmt"].startswith("yuva444p")
    event, _ = made(root, tmp_path, format="mp4")
    assert max(middle(Path(event["files"][0]), 3)) < 10


def test_pictures_through_the_view_transform_come_before_the_exr(root: Path, tmp_path: Path) -> None:
    for folder in root.glob("depends/home/3/*"):
        (picture,) = folder.glob("shot_*.png")
        picture.rename(folder / f"{picture.stem}.view.png")
        (folder / f"{picture.stem}.exr").write_bytes(b"not looked at")
    event, _ = made(root, tmp_path)
    assert event["event"] == "done", event
    assert middle(Path(event["files"][0]), COUNT - 1)[0] > 200


def test_linear_pictures_are_brightened_for_the_screen(root: Path, tmp_path: Path) -> None:
    for folder in root.glob("depends/home/3/*"):
        (picture,) = folder.glob("shot_*.png")
        picture.unlink()
        grey = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", "64x48", "-i", "-"]
        data = b"\0\0\0\x3e" * (64 * 48 * 3)  # 0.125
        subprocess.run([*grey, str(folder / f"{picture.stem}.exr")], input=data, check=True)
    event, _ = made(root, tmp_path)
    assert event["event"] == "done", event
    assert middle(Path(event["files"][0]), 2)[0] == pytest.approx(99, abs=4)  # sRGB of 0.125


def test_a_video_of_nothing_and_of_mixed_kinds_is_refused(root: Path, tmp_path: Path) -> None:
    event, _ = made(root, tmp_path, folders=[])
    assert event["event"] == "failed"
    assert "nothing to combine" in event["message"]
    (root / "depends/home/3/8/shot_0008.png").unlink()
    Image.new("RGB", (97, 71)).save(root / "depends/home/3/8/shot_0008.jpg")
    event, _ = made(root, tmp_path)
    assert (event["event"], event["class"]) == ("failed", "job")
    assert "several kinds" in event["message"]


def test_a_damaged_picture_fails_with_ffmpegs_own_word(root: Path, tmp_path: Path) -> None:
    for path in root.glob("depends/home/3/*/shot_*.png"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    event, _ = made(root, tmp_path)
    assert (event["event"], event["class"]) == ("failed", "job")
    assert "ffmpeg ended with" in event["message"]


def test_what_an_ffmpeg_lacks_is_said_by_name(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(
        "#!/bin/sh\ncase $2 in -version) echo 'ffmpeg version 6.1-static';; *) echo ' V....D libx264  H.264';; esac\n"
    )
    program.chmod(0o755)
    offer = offered(program).offer
    assert (offer.version, offer.engines) == ("6.1", ["mp4"])
    assert "av1: this ffmpeg has no libsvtav1 or libaom-av1" in offer.cannot
    assert "sound in mp4: this ffmpeg has no aac" in offer.cannot
    assert encoder(FORMATS["webm"], {"libx264"}) == ""
    with pytest.raises(NotASetup, match="does not work"):
        find(MethodConfig(programs=(tmp_path / "none",)))
    assert find(MethodConfig(search=False)) == []
