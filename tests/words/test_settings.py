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


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (ServerSettings, "# mine\n\nprot = 1\n", "”, line 3: prot is no setting, port is."),
        (ServerSettings, "[server]\nport = 1\n", "”, line 1: server is a table, and settings stand in none"),
        (ServerSettings, "port = 70000\n", "”, line 1: port must be 65,535 or less."),
        (ServerSettings, 'port = "many"\n', "”, line 1: port must be a whole number."),
        (ServerSettings, 'profile = "house"\n', "”, line 1: profile must be studio or open."),
        (ServerSettings, 'announce = "perhaps"\n', "”, line 1: announce must be true or false."),
        (ServerSettings, 'quota = "much"\n', "”, line 1: quota must be a size, such as 500MB or 50GB."),
        (ServerSettings, "quota = 0\n", "”, line 1: quota must be more than 0."),
        (ServerSettings, "data = 5\n", "”, line 1: data must be a path."),
        (ServerSettings, 'data = "~no-such-user/x"\n', "”, line 1: data: the home folder that it names is not known."),
        (ServerSettings, 'name = "a b"\n', "”, line 1: name: Use letters and digits"),
        (ServerSettings, 'bucket = "farm"\n', "”, line 1: bucket: write s3://NAME or s3://NAME/FOLDER."),
        (SlaveSettings, "blender = [\n  3,\n]\n", "”, line 1: blender must be a path."),
        (SlaveSettings, "password = 7\n", "”, line 1: password must be a text."),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line_and_what_would_be_right(
    tmp_path: Path, kind: type[FileSettings], text: str, said: str
) -> None:
    file = written(tmp_path / "some.toml", text)
    with pytest.raises(BadSetting) as caught:
        load(kind, file)
    assert caught.value.message.startswith(f"“{file}{said}")


def test_each_fault_is_said_once_and_with_what_the_setting_is_for(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        load(ServerSettings, written(tmp_path / "server.toml", 'port = -1\nquota = "5 XB"\nproxies = [1, 2]\n'))
    assert [caught.value.message.count(f"line {line}: ") for line in (1, 2, 3)] == [1, 1, 1]
    assert "port: Port to listen on" in caught.value.hint
    assert "proxies: Addresses of proxies" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"# mine\nport: 1\n", ", line 2: "),
        (b"name = hunter2", ", line 1: "),
        (b'name = "hunter2', ", at its end: "),
        (b'name = "x"\nhost = "\xff"', ", line 2: "),
    ],
)
def test_where_a_file_is_no_toml_is_said_and_none_of_it_shown(tmp_path: Path, text: bytes, place: str) -> None:
    (file := tmp_path / "server.toml").write_bytes(text)
    with pytest.raises(BadSetting) as caught:
        load(ServerSettings, file)
    assert caught.value.message.startswith(f"“{file}”{place}")
    assert "hunter2" not in caught.value.message
    assert caught.value.hint


def test_a_file_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="can't be read: Is a directory"):
        load(ServerSettings, tmp_path)


def test_a_wrong_value_is_named_with_its_source_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_SLOTS", "hunter2")
    with pytest.raises(BadSetting, match="DISTREN_SLAVE_SLOTS must be a whole number") as caught:
        load(SlaveSettings, written(tmp_path / "slave.conf", "slots = 2\n"))
    assert "hunter2" not in caught.value.message
    monkeypatch.delenv("DISTREN_SLAVE_SLOTS")
    with pytest.raises(BadSetting, match="--slots must be 0 or more"):
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
