"""Upgrades of slaves over HTTP: ordered by those who may, told to the slave at once, and over in one of two ways."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from farm.package.release import release
from farm.words.errors import Forbidden, WrongState
from tests.serving import Served, SlaveCaller, serving


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A server on each kind of database in turn."""
    more = {"database": database_url} if database_url else {}
    with serving(tmp_path / "data", **more) as running:
        yield running


class Old(SlaveCaller):
    """A slave with an older build."""

    build = "0123456789abcdef"

    def again(self, build: str) -> None:
        """Log in with another build."""
        self.http.post("/api/slave/logout").raise_for_status()
        self.http.headers.pop("Authorization")
        answer = self.http.post("/api/slave/login", json={**self.login, "build": build})
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def says(self, stage: str, **more: Any) -> int:
        word = {"build": release().build, "stage": stage, **more}
        return self.http.post("/api/slave/upgrade", json=word).status_code


def old(served: Served, admin: Any, name: str = "ws01") -> Old:
    made = admin.make_slave_key(name)
    slave = Old(served.url, made.key, made.password)
    slave.again(Old.build)
    return slave


def test_an_upgrade_is_told_at_once_and_over_when_the_slave_logs_in_with_it(both: Served) -> None:
    admin = both.admin()
    slave, ours = old(both, admin), release()
    assert slave.orders().upgrade is None
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(slave.orders, hold=60, want=1)
        assert admin.upgrade_slave("ws01").stage == "ordered"
        wanted = hanging.result(30).upgrade
    assert wanted is not None
    assert (wanted.version, wanted.build, wanted.size) == (ours.version, ours.build, len(ours.wheel))
    assert slave.http.get(f"/api/slave/releases/{wanted.sha256}").content == ours.wheel
    assert slave.http.get(f"/api/slave/releases/{'0' * 64}").status_code == 404
    assert slave.says("draining") == 204
    (view,) = admin.slaves()
    assert view.upgrade is not None
    assert view.upgrade.stage == "draining"
    slave.again(Old.build)
    assert slave.orders().upgrade == wanted, "a slave that broke off is told again"
    slave.again(ours.build)
    assert slave.orders().upgrade is None
    (view,) = admin.slaves()
    assert (view.upgrade, view.build) == (None, ours.build)
    assert admin.upgrade_slave("ws01").stage == "current"
    slave.close()


def test_a_slave_says_why_it_failed_and_is_asked_no_more(both: Served) -> None:
    admin = both.admin()
    slave = old(both, admin)
    admin.upgrade_slave("ws01")
    assert slave.says("failed", message="no legs") == 204
    assert slave.orders().upgrade is None
    (view,) = admin.slaves()
    assert view.upgrade is not None
    assert (view.upgrade.stage, view.upgrade.message.endswith("no legs")) == ("failed", True)
    assert slave.says("draining") == 204, "late words change nothing"
    assert admin.slaves()[0].upgrade == view.upgrade
    assert admin.upgrade_slave("ws01").stage == "ordered", "it may be tried again"
    slave.close()


def test_only_its_owner_or_an_admin_has_a_slave_upgraded(served: Served) -> None:
    admin = served.admin()
    slave = old(served, admin)
    bob = served.invited(admin, "bob")
    with pytest.raises(Forbidden):
        bob.upgrade_slave("ws01")
    assert bob.send("GET", "/api/server").status_code == 200
    with pytest.raises(Forbidden):
        bob.send("GET", f"/api/slave/releases/{release().sha256}")
    assert served.http.get(f"/api/slave/releases/{release().sha256}").status_code == 401
    slave.close()


def test_slaves_of_another_make_are_left_alone(served: Served) -> None:
    admin = served.admin()
    served.slave(admin, "simple")
    with pytest.raises(WrongState, match="simple"):
        admin.upgrade_slave("simple")


def test_a_slave_that_is_too_new_hears_of_versions_and_not_of_words_that_its_server_does_not_know(
    served: Served, admin: Any
) -> None:
    made = admin.make_slave_key("tomorrow")
    word = {"key": made.key, "password": made.password, "version": "99.1.0", "slots": 1, "telepathy": True}
    answer = served.http.post("/api/slave/login", json=word)
    assert (answer.status_code, answer.json()["code"]) == (409, "version_unfit")
    assert "99.1.0" in answer.json()["detail"]
    for garbage in (b"", b"{", b"[]", b"[" * 5000, b'{"version": 7}', b"\xff"):
        answer = served.http.post("/api/slave/login", content=garbage, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), garbage
