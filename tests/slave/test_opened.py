"""What a renderer says of its work is not believed blindly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.slave.opened import Done, Shape, read_done


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    for name in ("a.exr", ".preview.jpg"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    return folder


def read(output: Path, **more: Any) -> Done | None:
    return read_done({"event": "done", "files": [str(output / "a.exr")], **more}, output)


def test_pictures_and_preview_are_those_that_the_renderer_names(output: Path) -> None:
    done = read(output, pictures={str(output / "a.exr"): [4, 3, 0]}, preview=str(output / ".preview.jpg"))
    assert done is not None
    assert (done.pictures, done.preview) == ({"a.exr": Shape(4, 3, 0)}, output / ".preview.jpg")


@pytest.mark.parametrize("preview", ["link.jpg", "../secret.jpg", "a.exr", "none.jpg", "", "\0"])
def test_a_preview_that_is_none_of_the_frames_is_left_out(output: Path, preview: str) -> None:
    done = read(output, preview=str(output / preview) if preview else "")
    assert done is not None
    assert done.preview is None


@pytest.mark.parametrize("pictures", [3, ["a"], {"/etc/passwd": [1, 2, 3]}, {"a.exr": [1, 2, 3]}])
def test_pictures_that_are_no_files_of_the_frame_are_left_out(output: Path, pictures: object) -> None:
    done = read(output, pictures=pictures)
    assert done is not None
    assert done.pictures == {}


@pytest.mark.parametrize("shape", [None, [], [1, 2], ["1", 2, 3], {"width": 3}])
def test_a_shape_that_is_none_asks_for_nothing(output: Path, shape: object) -> None:
    done = read(output, pictures={str(output / "a.exr"): shape})
    assert done is not None
    assert done.pictures == {}


@pytest.mark.parametrize(
    ("shape", "right"),
    [
        (Shape(), True),
        (Shape(64, 36), True),
        (Shape(63, 37, 4), True),
        (Shape(66, 36), False),
        (Shape(64, 34), False),
        (Shape(64, 36, 3), False),
        (Shape(0, 0, 4), True),
    ],
)
def test_a_picture_of_another_size_is_objected_to(shape: Shape, right: bool) -> None:
    assert (shape.objection(64, 36, 4) == "") is right
