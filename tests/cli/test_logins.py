from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from farm.cli.connect import address, client_settings, tidy
from farm.cli.logins import Logins, Saved
from farm.words.errors import NotASetup
from tests.cli.conftest import Run


def _saved(name: str) -> Saved:
    return Saved(name=name, user="ada", token="secret")


def test_only_the_owner_can_read_the_tokens(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tokens.json"
    Logins.load(path).add("http://a:1", _saved("a"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["tokens.json"]


def test_the_last_login_is_the_current_one_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    logins = Logins.load(path)
    logins.add("http://a:1", _saved("a"))
    logins.add("http://b:2", _saved("b"))
    assert Logins.load(path).current == "http://b:2"
    Logins.load(path).remove("http://b:2")
    assert Logins.load(path).current == "http://a:1"


def test_a_server_can_be_named_by_its_own_name(home: Path) -> None:
    logins = Logins.load(client_settings().tokens)
    logins.add("http://a:1", _saved("farm-a"))
    logins.add("http://b:2", _saved("farm-b"))
    assert address(client_settings("farm-a"), logins) == "http://a:1"


def test_the_option_beats_the_environment_and_that_beats_the_current_login(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = Logins.load(client_settings().tokens)
    logins.add("http://a:1", _saved("a"))
    assert address(client_settings(), logins) == "http://a:1"
    monkeypatch.setenv("DISTREN_SERVER", "http://b:2")
    assert address(client_settings(), logins) == "http://b:2"
    assert address(client_settings("http://c:3"), logins) == "http://c:3"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("farm", "http://farm:8282"),
        ("farm:80", "http://farm:80"),
        ("http://farm/", "http://farm:8282"),
        ("https://farm.example.org", "https://farm.example.org"),
        ("https://farm.example.org/render/", "https://farm.example.org/render"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_what_people_write_becomes_an_address(text: str, url: str) -> None:
    assert tidy(text) == url


def test_a_file_of_logins_that_is_garbage_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(NotASetup, match=r"tokens\.json"):
        Logins.load(tmp_path / "tokens.json")


def test_config_show_says_where_each_value_comes_from(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config" / "distren").mkdir(parents=True)
    (home / "config" / "distren" / "slave.conf").write_text('slots = 3\nkey = "k"\n')
    monkeypatch.setenv("DISTREN_SLAVE_PASSWORD", "hunter2hunter2")
    result = run("config", "show", "slave", "--json")
    rows = {row["name"]: (row["value"], row["source"]) for row in json.loads(result.stdout)["slave"]["settings"]}
    assert rows["slots"] == (3, "file")
    assert rows["password"] == ("(hidden)", "DISTREN_SLAVE_PASSWORD")
    assert rows["recycle_frames"][1] == "default"


def test_config_show_prints_no_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_PASSWORD", "hunter2hunter2")
    monkeypatch.setenv("DISTREN_TOKEN", "hunter2token")
    assert "hunter2" not in run("config", "show").output
