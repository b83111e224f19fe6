"""Settings: precedence, and faults that name their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.words.errors import BadSetting
from farm.words.filesettings import FileSettings
from farm.words.settings import ClientSettings, ServerSettings, SlaveSettings, load

KINDS = [ServerSettings, SlaveSettings, ClientSettings]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISTREN_CONFIG", "DISTREN_SLAVE_CONFIG", "DISTREN_CLIENT_CONFIG", "DISTREN_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "server.toml", 'port = 1\nhost = "127.0.0.2"\nname = "filed"\n')
    assert load(ServerSettings).port == 8282
    assert load(ServerSettings, file).port == 1
    monkeypatch.setenv("DISTREN_PORT", "2")
    monkeypatch.setenv("DISTREN_NAME", "around")
    settings = load(ServerSettings, file, port=3)
    assert (settings.port, settings.name, settings.host) == (3, "around", "127.0.0.2")
    assert load(ServerSettings, file, port=None).port == 2


def test_the_usual_file_may_be_missing_and_a_named_one_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(SlaveSettings)
    with pytest.raises(BadSetting, match="does not exist"):
        load(SlaveSettings, tmp_path / "none.conf")
    monkeypatch.setenv("DISTREN_SLAVE_CONFIG", str(tmp_path / "other.conf"))
    with pytest.raises(BadSetting, match=r"other\.conf"):
        load(SlaveSettings)


def test_the_usual_file_is_found(tmp_path: Path) -> None:
    written(tmp_path / "config" / "distren" / "slave.conf", "slots = 3\n")
    assert load(SlaveSettings).slots == 3


def test_a_typing_error_in_the_file_is_named_with_its_place(tmp_path: Path) -> None:
    file = written(tmp_path / "server.toml", "prot = 1\n")
    with pytest.raises(BadSetting, match=r"prot in .*server\.toml: there is no such setting"):
        load(ServerSettings, file)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="can't be read"):
        load(ServerSettings, written(tmp_path / "server.toml", "port: 1"))


def test_a_wrong_value_is_named_with_its_source_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_SLOTS", "hunter2")
    with pytest.raises(BadSetting, match="DISTREN_SLAVE_SLOTS") as caught:
        load(SlaveSettings)
    assert "hunter2" not in caught.value.message
    monkeypatch.delenv("DISTREN_SLAVE_SLOTS")
    with pytest.raises(BadSetting, match="--slots"):
        load(SlaveSettings, slots=-1)


def test_paths_know_the_home_folder_and_sizes_their_units(tmp_path: Path) -> None:
    file = written(tmp_path / "slave.conf", 'cache = "~/frames"\ncache_size = "2GB"\nblender = ["~/blender"]\n')
    settings = load(SlaveSettings, file)
    assert settings.cache == Path.home() / "frames"
    assert settings.cache_size == 2_000_000_000
    assert settings.blender == [Path.home() / "blender"]


def test_lists_in_the_environment_need_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_BLENDER", "/a:/b")
    monkeypatch.setenv("DISTREN_SLAVE_METHODS", "blender,sleep")
    settings = load(SlaveSettings)
    assert settings.blender == [Path("/a"), Path("/b")]
    assert settings.methods == ["blender", "sleep"]


def test_passwords_are_not_shown() -> None:
    assert "hunter2" not in repr(load(SlaveSettings, password="hunter2"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_says_what_it_is_for(kind: type[FileSettings]) -> None:
    for name, field in kind.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name
