"""Register, log in, invite: over HTTP."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import LogIn, MakeInvite, Role
from farm.words.errors import (
    Forbidden,
    NameTaken,
    RegistrationRefused,
    SlaveBusyElsewhere,
    WrongPassphrase,
    from_problem,
)
from tests.serving import PASSPHRASE, Served, serving


def login(served: Served, name: str, passphrase: str = PASSPHRASE) -> FarmClient:
    granted = served.client().login(LogIn.model_validate({"name": name, "passphrase": passphrase}))
    return served.client(granted.token)


def test_the_setup_code_makes_one_admin_who_invites_others(served: Served, admin: FarmClient) -> None:
    assert admin.me().role is Role.ADMIN
    with pytest.raises(RegistrationRefused):
        served.register("eve", served.ready.setup_code or "")
    user = served.invited(admin, "bob")
    assert user.me().role is Role.USER
    with pytest.raises(Forbidden):
        user.make_invite(MakeInvite())


@pytest.mark.parametrize("code", ["", "aaaaa-bbbbb-ccccc-ddddd"])
def test_nobody_registers_without_a_valid_code(served: Served, code: str) -> None:
    with pytest.raises(RegistrationRefused):
        served.register("eve", code)


def test_a_name_can_be_taken_once(served: Served, admin: FarmClient) -> None:
    with pytest.raises(NameTaken):
        served.invited(admin, "ada")


def test_logging_in_needs_the_right_passphrase_and_tells_nobody_which_names_exist(
    served: Served, admin: FarmClient
) -> None:
    assert login(served, "ADA").me() == admin.me()
    messages = set()
    for name in ("ada", "nobody"):
        with pytest.raises(WrongPassphrase) as caught:
            login(served, name, "wrong horse battery")
        messages.add((caught.value.message, caught.value.hint))
    assert len(messages) == 1


def test_an_unknown_name_takes_as_long_as_a_wrong_passphrase(
    served: Served, admin: FarmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[tuple[str, str]] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, kept: str, passphrase: str) -> bool:
        hashed.append((threading.current_thread().name[:10], kept.rpartition("$")[0].rpartition("$")[0]))
        return verify(hasher, kept, passphrase)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for name in ("ada", "nobody"):
        with pytest.raises(WrongPassphrase):
            login(served, name, "wrong horse battery")
    assert len(hashed) == 2
    assert hashed[0] == hashed[1], "with the same costs, in the same place"


def test_guessing_is_slowed_down(served: Served, admin: FarmClient) -> None:
    wrong = {"name": "ada", "passphrase": "wrong horse battery"}
    codes = [served.http.post("/api/accounts/login", json=wrong).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    answer = served.http.post("/api/accounts/login", json=wrong)
    assert 0 < int(answer.headers["retry-after"]) <= 300
    right = served.http.post("/api/accounts/login", json={**wrong, "passphrase": PASSPHRASE})
    assert right.status_code == 429, "else a guesser would learn that it was right"


def test_guessing_invite_codes_is_slowed_down(served: Served) -> None:
    wish = {"name": "eve", "passphrase": PASSPHRASE, "invite": "aaaaa-bbbbb"}
    codes = [served.http.post("/api/accounts/register", json=wish).status_code for _ in range(7)]
    assert codes == [403] * 5 + [429] * 2


def test_a_passphrase_is_never_in_an_answer(served: Served) -> None:
    answer = served.http.post("/api/accounts/login", json={"name": "a b", "passphrase": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_registration_can_be_open_or_closed(tmp_path: Path) -> None:
    with serving(tmp_path / "open", registration="open") as served:
        assert served.register("bob", "").me().role is Role.USER
        assert served.admin().me().role is Role.ADMIN
    with serving(tmp_path / "closed", registration="closed") as served:
        assert served.http.get("/api/server").json()["registration"] == "closed"
        with pytest.raises(RegistrationRefused):
            served.register("bob", "x")


def test_a_second_slave_with_the_same_key_must_wait(served: Served, admin: FarmClient) -> None:
    first = served.slave(admin)
    first.orders()
    again = httpx.post(f"{served.url}/api/slave/login", json=first.login, trust_env=False)
    assert again.status_code == 409
    assert isinstance(from_problem(again.json(), 409), SlaveBusyElsewhere)
    assert first.http.post("/api/slave/logout").status_code == 204
    assert first.report().status_code == 401, "logging out voids the token"
    assert httpx.post(f"{served.url}/api/slave/login", json=first.login, trust_env=False).status_code == 200


def test_slaves_are_listed_paused_and_resumed_by_their_owner(served: Served, admin: FarmClient) -> None:
    other = served.invited(admin, "bob")
    served.slave(admin).orders()
    assert [(s.name, s.owner, s.state, s.slots) for s in other.slaves()] == [("ws01", "ada", "idle", 1)]
    with pytest.raises(Forbidden):
        other.pause_slave("ws01")
    admin.pause_slave("ws01")
    assert admin.slaves()[0].state == "paused"
    admin.resume_slave("ws01")
    assert admin.slaves()[0].state == "idle"


def test_among_strangers_everyone_sees_their_own_slaves(tmp_path: Path) -> None:
    with serving(tmp_path / "data", profile="open") as served:
        admin = served.admin()
        bob, eve = served.invited(admin, "bob"), served.invited(admin, "eve")
        served.slave(bob)
        assert [s.name for s in bob.slaves()] == ["ws01"]
        assert eve.slaves() == []
        assert [s.name for s in admin.slaves()] == ["ws01"]
