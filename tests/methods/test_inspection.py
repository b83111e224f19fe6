from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from blender_addon.inspection import Inspection
from farm.methods.base import Launcher, Offered
from farm.methods.blender.header import Header
from farm.methods.blender.inspect import fitting, inspect
from farm.protocol.slaves import Offer
from farm.words.errors import NotASetup, Refused, RendererFailed
from farm.words.ranges import FrameRange

pytestmark = pytest.mark.blender


def places(inspection: Inspection) -> set[str]:
    return {f.path for f in inspection.files}


def test_textures_and_libraries_of_libraries_are_found_in_the_artists_tree(blender: Offered, shots: Path) -> None:
    found = inspect(shots / "shots" / "plain.blend", [blender])
    assert places(found) == {
        "shots/plain.blend",
        "assets/props.blend",
        "assets/deep.blend",
        "assets/textures/sky.png",
        "assets/textures/wood.png",
        "assets/textures/deep.png",
    }
    assert found.source == "shots/plain.blend"
    assert found.missing == ()
    assert all(f.local.stat().st_size == f.size and f.frames is None for f in found.files)
    assert json.loads(found.relocate) == {str(shots): "."}


def test_the_scenes_facts_are_the_files(blender: Offered, shots: Path) -> None:
    found = inspect(shots / "shots" / "plain.blend", [blender])
    scene = found.scene
    assert (scene.name, scene.frames, scene.engine, scene.camera) == ("Shot", "2-8x2", "CYCLES", "Camera")
    assert (scene.resolution_x, scene.resolution_y, scene.format, scene.movie) == (32, 18, "PNG", False)
    assert scene.output_example.endswith("shot_002_x.png")
    assert found.problems({}) == []
    assert found.engine({}) == "CYCLES"


def test_absolute_paths_land_in_the_same_tree(blender: Offered, shots: Path) -> None:
    found = inspect(shots / "shots" / "absolute.blend", [blender])
    assert "assets/textures/sky.png" in places(found)


def test_members_of_a_sequence_name_the_frames_that_need_them(blender: Offered, shots: Path) -> None:
    found = inspect(shots / "shots" / "sequence.blend", [blender])
    frames = {f.path.rsplit("/", 1)[1]: f.frames for f in found.files if f.kind == "sequence"}
    # It starts at frame 3 with the second picture and plays four.
    assert set(frames) == {f"wave_{n:03d}.png" for n in (2, 3, 4, 5)}
    # Its ends stay before and after it; each inner one is needed by its frame, and by motion blur beside it.
    assert frames == {"wave_002.png": None, "wave_003.png": "3-5", "wave_004.png": "4-6", "wave_005.png": None}
    assert {f"assets/udim/skin.{tile}.png" for tile in (1001, 1002)} <= places(found)


def test_missing_members_of_a_sequence_are_numbered(blender: Offered, shots: Path, tmp_path: Path) -> None:
    shutil.copytree(shots, tmp_path / "copy")
    (tmp_path / "copy" / "assets" / "seq" / "wave_004.png").unlink()
    found = inspect(tmp_path / "copy" / "shots" / "sequence.blend", [blender], FrameRange.parse("3-6"))
    assert "numbers 4 are missing" in " ".join(found.problems({}))


def test_missing_files_are_problems_by_name_unless_allowed(blender: Offered, shots: Path, tmp_path: Path) -> None:
    shutil.copytree(shots, tmp_path / "copy")
    (tmp_path / "copy" / "assets" / "deep.blend").unlink()
    found = inspect(tmp_path / "copy" / "shots" / "missing_texture.blend", [blender])
    said = " ".join(found.problems({}))
    assert "gone.png" in said
    assert "deep.blend" in said
    assert found.problems({"allow_missing": True}) == []


def test_no_camera_a_video_and_denoising_are_known_before_uploading(blender: Offered, shots: Path) -> None:
    bare = inspect(shots / "shots" / "no_camera.blend", [blender])
    assert bare.problems({}) == ["The scene “Shot” has no camera."]
    assert "no camera “Nobody”" in bare.problems({"camera": "Nobody"})[0]
    video = inspect(shots / "shots" / "movie.blend", [blender])
    assert video.scene.movie
    assert "video" in " ".join(video.warnings({}))
    assert {s.name for s in video.scenes} == {"Shot", "Other scene"}
    assert "no scene “Third”" in video.problems({"scene": "Third"})[0]
    clean = inspect(shots / "shots" / "denoised.blend", [blender])
    assert clean.engine({}) == "CYCLES+OIDN"
    assert clean.engine({"denoising": False}) == "CYCLES"


def test_a_truncated_file_and_a_missing_one_are_refused(blender: Offered, shots: Path, tmp_path: Path) -> None:
    data = (shots / "shots" / "plain.blend").read_bytes()
    (tmp_path / "cut.blend").write_bytes(data[: len(data) // 3])
    with pytest.raises(Refused, match=r"cut\.blend is damaged"):
        inspect(tmp_path / "cut.blend", [blender])
    with pytest.raises(Refused, match="not there"):
        inspect(tmp_path / "none.blend", [blender])


def test_a_file_with_a_whole_form_but_broken_data_is_refused_by_blender(blender: Offered, tmp_path: Path) -> None:
    (tmp_path / "hollow.blend").write_bytes(b"BLENDER-v304" + b"ENDB" + bytes(20))
    with pytest.raises((Refused, RendererFailed), match=r"hollow\.blend"):
        inspect(tmp_path / "hollow.blend", [blender])


def test_a_hung_blender_is_given_up(blender: Offered, shots: Path) -> None:
    with pytest.raises(RendererFailed, match="longer"):
        inspect(shots / "shots" / "plain.blend", [blender], seconds=0.01)


def offered(version: str) -> Offered:
    return Offered(Offer(method="blender", version=version), Launcher("program", Path("/none")))


def test_the_blender_next_to_the_files_version_reads_it() -> None:
    here = [offered("5.0.1"), offered("4.5.3"), offered("3.4.1")]
    for version, chosen in (("3.0", "3.4.1"), ("3.4", "3.4.1"), ("4.2", "4.5.3"), ("4.5", "4.5.3"), ("5.0", "5.0.1")):
        assert fitting(Header(version, False), here, Path("a.blend")).offer.version == chosen


def test_a_file_of_a_newer_blender_names_both_versions() -> None:
    with pytest.raises(Refused, match=r"5\.2.*newer.*3\.4\.1"):
        fitting(Header("5.2", False), [offered("3.4.1")], Path("a.blend"))
    with pytest.raises(NotASetup):
        fitting(Header("5.2", False), [], Path("a.blend"))
