from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from farm.methods.base import MethodConfig
from farm.methods.blender import provision as provision_module
from farm.methods.blender.find import find
from farm.methods.blender.places import candidates
from farm.methods.blender.provision import provision
from farm.words.errors import NotASetup


def test_an_environment_that_a_killed_process_left_is_no_blender(tmp_path: Path) -> None:
    part = tmp_path / "blenders" / "bpy-4.5.part-4194399" / "bin"
    part.mkdir(parents=True)
    (part / "python").symlink_to(sys.executable)
    config = MethodConfig(environments=(tmp_path / "blenders",), search=False)
    assert list(candidates(config)) == []


def test_what_killed_installations_left_is_removed_and_what_runs_is_not(tmp_path: Path) -> None:
    left, running = tmp_path / "bpy-4.5.part-4194399", tmp_path / f"bpy-4.5.part-{os.getpid()}"
    left.mkdir()
    running.mkdir()
    provision_module._drop_broken_off(tmp_path / "bpy-4.5")
    assert (left.exists(), running.exists()) == (False, True)


def test_a_wheel_without_the_published_hash_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "simple" / "bpy"
    page.mkdir(parents=True)
    wheel = page / "bpy-4.5.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bpy/__init__.py", "raise SystemExit('This ran.')")
        archive.writestr("bpy-4.5.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: bpy\nVersion: 4.5.9\n")
    (page / "index.html").write_text(f'<a href="{wheel.name}#sha256={"0" * 64}">{wheel.name}</a>')
    only_index(monkeypatch, (tmp_path / "simple").as_uri())
    with pytest.raises(NotASetup, match="HASH"):
        provision(tmp_path / "blenders", version="4.5")
    assert list((tmp_path / "blenders").iterdir()) == []


def test_what_would_be_too_large_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "bpy-4.2").mkdir()
    (tmp_path / "bpy-4.2" / "large").write_bytes(bytes(1_000_000))
    with pytest.raises(NotASetup, match=r"more than provision_size, 2\.5 GB") as caught:
        provision(tmp_path, version="4.5", limit=2_500_999_999)
    assert "raise provision_size" in caught.value.hint


@pytest.mark.parametrize(
    ("version", "said"),
    [("2.79", "PyPI has no bpy 2.79"), ("4.5 --index-url http://x", "is no version"), ("5.1", "needs Python 3.13")],
)
def test_only_versions_that_exist_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, said: str
) -> None:
    monkeypatch.setattr(provision_module, "_python", lambda _: None)
    with pytest.raises(NotASetup, match=said):
        provision(tmp_path, version=version)


def only_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let pip know one index, and none of this machine's."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", url)
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.soak
@pytest.mark.blender
@pytest.mark.timeout(1800)
def test_bpy_from_pypi_becomes_a_blender_once(tmp_path: Path) -> None:
    told: list[str] = []
    made = provision(tmp_path / "blenders", told.append)
    assert "PyPI" in told[0]
    assert provision(tmp_path / "blenders", told.append) == made
    assert len(told) == 1, "the second time it is there"
    assert find(MethodConfig(environments=(tmp_path / "blenders",), search=False)) == [made]
