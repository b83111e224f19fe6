"""Which version of DistRen a slave runs, and that one that does not work is left again."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from farm.package.release import build
from farm.slave import versions as module
from farm.slave.versions import Pointer, Versions


class Went(Exception):
    """It became another version."""


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Versions:
    def go(self: Versions) -> NoReturn:
        raise Went(self.read().current)

    monkeypatch.setattr(Versions, "go", go)
    made = Versions(tmp_path)
    for name in ("0.2.0-abc", "0.3.0-def"):
        (tmp_path / name / "farm").mkdir(parents=True)
    return made


def runs(monkeypatch: pytest.MonkeyPatch, versions: Versions, name: str) -> None:
    """Have this process be a version that the server sent."""
    monkeypatch.setattr(module.farm, "__file__", str(versions.folder / name / "farm" / "__init__.py"))


def entered(versions: Versions) -> str | None:
    """Start; return which other version it becomes."""
    try:
        versions.enter()
    except Went as went:
        return str(went)
    return None


def test_the_installed_version_runs_where_nothing_was_sent(versions: Versions) -> None:
    assert entered(versions) is None


def test_a_new_version_is_kept_when_it_has_logged_in(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.switch("0.2.0-abc")
    assert entered(versions) == "0.2.0-abc"
    runs(monkeypatch, versions, "0.2.0-abc")
    assert entered(versions) is None
    assert versions.on_trial
    versions.confirm()
    assert not versions.on_trial
    monkeypatch.undo()
    assert sorted(path.name for path in versions.folder.iterdir()) == ["0.2.0-abc", "current.json"]


def test_one_that_never_logged_in_is_left_at_the_next_start(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.switch("0.2.0-abc")
    with monkeypatch.context() as new:
        runs(new, versions, "0.2.0-abc")
        entered(versions)
        versions.confirm()
        (versions.folder / "0.3.0-def").mkdir()
        versions.switch("0.3.0-def")
    with monkeypatch.context() as newer:
        runs(newer, versions, "0.3.0-def")
        assert entered(versions) is None
    assert entered(versions) == "0.2.0-abc", "the one before"
    pointer = versions.read()
    assert (pointer.failed, pointer.trial) == ("def", False)
    assert "did not come as far" in pointer.reason
    versions.told()
    assert versions.read().failed == ""


def test_one_that_a_person_ended_gets_another_chance(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.switch("0.2.0-abc")
    with monkeypatch.context() as new:
        runs(new, versions, "0.2.0-abc")
        entered(versions)
        versions.rest()
    assert entered(versions) == "0.2.0-abc"


@pytest.mark.parametrize("pointer", [{"installed": "another"}, {"current": "0.9.0-gone"}])
def test_what_was_sent_is_forgotten_where_another_version_was_installed(
    versions: Versions, pointer: dict[str, str]
) -> None:
    versions._write(Pointer(**{"current": "0.2.0-abc", "installed": build(), **pointer}))
    assert entered(versions) is None
    assert versions.read() == Pointer()


def test_a_spoilt_pointer_is_none(versions: Versions) -> None:
    (versions.folder / "current.json").write_bytes(b"{")
    assert entered(versions) is None
    assert versions.read() == Pointer()


def test_a_version_is_looked_for_before_all_others_and_never_twice(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/own")
    paths = versions.environment("0.2.0-abc")["PYTHONPATH"]
    assert paths == f"{versions.folder / '0.2.0-abc'}:/own"
    monkeypatch.setenv("PYTHONPATH", paths)
    assert versions.environment("0.3.0-def")["PYTHONPATH"] == f"{versions.folder / '0.3.0-def'}:/own"
    assert versions.environment("")["PYTHONPATH"] == "/own"
