"""Where pictures land at home, and what becomes of those that lie there."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from blender_addon.comms import bringing
from blender_addon.comms.bringing import Bringing
from blender_addon.comms.errands import Errand
from blender_addon.comms.hashes import Hashes
from blender_addon.comms.messages import Fetched
from blender_addon.comms.trouble import Trouble
from blender_addon.places import lacking, set_aside


class Shop:
    """What a link says of a job whose files are given."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.fetched: list[str] = []

    def call(self, _verb: str, _path: str, **_query: Any) -> dict[str, Any]:
        listed = [
            {"frame": 1, "name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in self.files.items()
        ]
        return {"files": listed, "next": None}

    def get(self, _path: str) -> bytes:
        return b"preview"

    @contextlib.contextmanager
    def stream(self, path: str, _headers: dict[str, str], *, past: bool) -> Iterator[Any]:
        name = path.partition("/output/1/")[2]
        self.fetched.append(name)
        chunks = [self.files[name], b""]
        yield SimpleNamespace(status=200, chunk=lambda: chunks.pop(0), past=False)


FILES = {"shot_0001.exr": b"the picture", "mattes/m_0001.png": b"a matte", "odd/o.txt": b"odd"}


def bring(shop: Shop, tmp_path: Path, **how: Any) -> Fetched:
    errand = Errand("http://farm", 7, str(tmp_path / "out"), **how)
    hashes = Hashes(str(tmp_path / "hashes.json"))
    return Bringing(shop, errand, threading.Event(), hashes).bring(ended=True)  # type: ignore[arg-type]


def there(tmp_path: Path) -> dict[str, bytes]:
    files = (path for path in tmp_path.rglob("*") if path.is_file() and path.name != "hashes.json")
    return {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files}


def test_folders_of_file_output_nodes_go_to_their_own_places(tmp_path: Path) -> None:
    bring(Shop(FILES), tmp_path, homes=(("mattes", str(tmp_path / "nas" / "mattes")),))
    assert there(tmp_path) == {
        "out/shot_0001.exr": b"the picture",
        "nas/mattes/m_0001.png": b"a matte",
        "out/odd/o.txt": b"odd",
    }


def test_what_lies_there_stays_or_is_kept_as_former_or_is_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "out" / "shot_0001.exr"
    mine.parent.mkdir()
    for number, how in enumerate(({}, {"keep": True}, {"keep": True}, {"replace": True})):
        mine.write_bytes(b"mine %d" % number)
        said = bring(Shop(FILES), tmp_path, **how)
        assert said.differing == ([] if how else [str(mine)])
        assert mine.read_bytes() == (b"the picture" if how else b"mine 0")
    found = there(tmp_path)
    assert (found["out/former/shot_0001.exr"], found["out/former-2/shot_0001.exr"]) == (b"mine 1", b"mine 2")
    assert not [name for name in found if "part" in name]
    assert sum(name.startswith("out/former") for name in found) == 2


def test_of_exr_only_previews_come_if_the_artist_wants_no_more(tmp_path: Path) -> None:
    shop = Shop(FILES)
    said = bring(shop, tmp_path, previews=True)
    assert said.newest
    assert there(tmp_path)["out/previews/shot_0001.webp"] == b"preview"
    assert "shot_0001.exr" not in shop.fetched


def test_room_for_all_is_looked_for_before_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(FILES)
    monkeypatch.setattr(bringing.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=bringing.SPARE + 10))
    with pytest.raises(Trouble, match="3 files of job 7 need") as error:
        bring(shop, tmp_path)
    assert (error.value.code, shop.fetched) == ("disk", [])
    bring(shop, tmp_path, homes=(("mattes", str(tmp_path)),), previews=True)


def test_an_empty_file_is_no_picture_and_nothing_is_ever_set_aside_over_something(tmp_path: Path) -> None:
    for name, data in (("a_1.png", b"1"), ("a_2.png", b""), ("a_4.jpg", b"4")):
        (tmp_path / name).write_bytes(data)
    assert lacking(str(tmp_path), {1: "a_1.png", 2: "a_2.png", 3: "a_3.png", 4: "a_4.png"}) == [2, 3, 4]
    assert lacking(str(tmp_path), {4: "a_4"}) == []
    assert lacking(str(tmp_path / "nowhere"), {1: "a_1.png"}) == [1]
    places = [set_aside(str(tmp_path / "a_1.png"))]
    (tmp_path / "a_1.png").write_bytes(b"again")
    places.append(set_aside(str(tmp_path / "a_1.png")))
    assert [Path(place).parent.name for place in places] == ["former", "former-2"]
