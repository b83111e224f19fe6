"""This DistRen as a wheel, and what is let in of another's."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from farm import __version__
from farm.package import release as module
from farm.package.release import LARGEST, NAME, build, lacking, release, unpack
from farm.words.errors import HashMismatch, TooLarge, UnsafePackage


def zipped(*names: str, size: int = 4) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, bytes(size))
    return buffer.getvalue()


def taken(tmp_path: Path, data: bytes, sha256: str = "") -> Path:
    wheel, folder = tmp_path / "some.whl", tmp_path / "made"
    wheel.write_bytes(data)
    unpack(wheel, sha256 or hashlib.sha256(data).hexdigest(), folder)
    return folder


def test_the_same_files_make_the_same_wheel_which_lists_each_with_its_hash() -> None:
    first = release()
    release.cache_clear()
    assert first == release()
    assert (first.version, first.build) == (__version__, build())
    with zipfile.ZipFile(io.BytesIO(first.wheel)) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith("/RECORD")]
        rows = [line.split(",") for line in archive.read(record).decode().splitlines()]
        assert {row[0] for row in rows} == set(archive.namelist())
        for name, digest, size in rows:
            data = archive.read(name)
            own = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={own}", str(len(data))) or name == record


def test_pip_installs_the_wheel_and_the_command_runs_from_there(tmp_path: Path) -> None:
    wheel, place = tmp_path / NAME, tmp_path / "here"
    wheel.write_bytes(release().wheel)
    quiet = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, "--target", place, wheel], check=True)
    ask = "import farm; from farm.package.release import build; print(farm.__file__, build())"
    env = {**os.environ, "PYTHONPATH": str(place)}
    said = subprocess.run([sys.executable, "-P", "-c", ask], env=env, check=True, capture_output=True, text=True)
    assert said.stdout.split() == [str(place / "farm" / "__init__.py"), build()]


def test_an_unpacked_wheel_lacks_nothing_here(tmp_path: Path) -> None:
    folder = taken(tmp_path, release().wheel)
    assert lacking(folder) == []
    assert (folder / "farm" / "cli" / "main.py").is_file()
    found = next(folder.glob("*.dist-info/METADATA"))
    found.write_text(found.read_text().replace("httpx>=", "httpx>=99"))
    assert lacking(folder)[0].startswith("httpx 99")
    found.write_text(found.read_text().replace("httpx>=", "httpxx>="))
    assert lacking(folder)[0].endswith("which is not here")


@pytest.mark.parametrize(
    "name", ["../farm/a.py", "/farm/a.py", "farm/../../a.py", "other/a.py", "farm\\a.py", "farm.pth"]
)
def test_no_file_gets_anywhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePackage):
        taken(tmp_path, zipped("farm/b.py", name))
    assert not (tmp_path / "made").exists()


def test_other_files_than_the_announced_one_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HashMismatch):
        taken(tmp_path, zipped("farm/b.py"), "0" * 64)
    with pytest.raises(UnsafePackage):
        taken(tmp_path, b"no wheel")
    monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(TooLarge):
        taken(tmp_path, zipped("farm/b.py", size=2000))
    assert 10 * sum(path.stat().st_size for path in Path(module.__file__).parents[1].rglob("*.py")) < LARGEST
    assert not (tmp_path / "made").exists()
