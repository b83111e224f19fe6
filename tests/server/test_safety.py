"""Unsafe and contradictory settings are refused, each with a mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.server import safety
from farm.server.addresses import is_private
from farm.words.errors import NotASetup
from farm.words.settings import ServerSettings


def settings(**values: Any) -> ServerSettings:
    return ServerSettings(**values)


def found(values: dict[str, Any], own_public: tuple[str, ...] = ()) -> list[str]:
    return [o.message for o in safety.objections(settings(**values), own_public)]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"host": "192.168.1.5"},
        {"host": "127.0.0.1", "profile": "open"},
        {"host": "8.8.8.8", "behind_proxy": True},
        {"host": "8.8.8.8", "ssl_certificate": "c", "ssl_key": "k", "profile": "open", "registration": "open"},
        {"public_url": "http://render.local:8282"},
        {"public_url": "http://10.1.2.3"},
        {"public_url": "https://farm.example.org", "behind_proxy": True},
        {"registration": "open"},
    ],
)
def test_a_local_network_needs_no_tls_and_the_internet_may_have_it(values: dict[str, Any]) -> None:
    assert found(values) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"host": "8.8.8.8"}, "public address"),
        ({"host": "farm.example.org"}, "public address"),
        ({"public_url": "http://farm.example.org"}, "not https"),
        ({"public_url": "https://farm.example.org"}, "nothing does TLS"),
        ({"public_url": "farm.example.org"}, "no URL"),
        ({"ssl_certificate": "c"}, "certificate and its key"),
        ({"ssl_key": "k"}, "certificate and its key"),
        ({"host": "192.168.1.5", "profile": "open"}, "strangers"),
        ({"host": "127.0.0.1", "profile": "open", "scripts": "on"}, "scripts=on"),
        ({"registration": "open", "behind_proxy": True}, "lets everybody in"),
        ({"silence_seconds": 10, "render_seconds": 5}, "silence_seconds"),
        ({"database": "postgresql://x"}, "postgresql"),
    ],
)
def test_what_is_unsafe_or_contradictory_is_named(values: dict[str, Any], message: str) -> None:
    assert any(message in each for each in found(values)), found(values)
    assert all(o.mend for o in safety.objections(settings(**values), ()))


def test_all_addresses_of_a_machine_on_the_internet_need_tls() -> None:
    assert any("203" in m or "8.8.4.4" in m for m in found({}, ("8.8.4.4",)))
    assert found({"plain_http": True}, ("8.8.4.4",)) == []


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
    (tmp_path / "key.pem").chmod(0o644)
    values = {"ssl_certificate": tmp_path / "cert.pem", "ssl_key": tmp_path / "key.pem", "data": tmp_path}
    with pytest.raises(NotASetup, match="Everybody on this machine can read") as caught:
        safety.check(settings(**values))
    assert "chmod" in caught.value.hint
    (tmp_path / "key.pem").chmod(0o600)
    safety.check(settings(**values))


def test_missing_tls_files_and_bad_folders_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotASetup) as caught:
        safety.check(settings(ssl_certificate="/none.pem", ssl_key="/none.key", data=tmp_path / "file" / "data"))
    for part in ("/none.pem", "/none.key", "can't be written"):
        assert part in caught.value.message


@pytest.mark.parametrize(
    "host", ["localhost", "render", "render.local", "192.168.0.1", "10.0.0.1", "::1", "[fe80::1%eth0]"]
)
def test_these_are_private(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize("host", ["farm.example.org", "8.8.8.8", "2a00:1450:4001:81b::200e"])
def test_these_are_public(host: str) -> None:
    assert not is_private(host)
