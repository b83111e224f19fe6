"""Passphrases, recovery, users who are kept out, admins' words and their record; over real HTTP."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from farm.client.farmclient import FarmClient
from farm.client.usercalls import UserCalls
from farm.protocol.accounts import ChangePassphrase, LogIn, Recover
from farm.words.errors import Conflict, Forbidden, Unauthenticated, WrongPassphrase
from tests.api.test_next import leased, submit
from tests.serving import PASSPHRASE, Served

OLD, NEW = SecretStr(PASSPHRASE), SecretStr("staple correct horse")


def log_in(served: Served, passphrase: SecretStr, name: str = "bea") -> FarmClient:
    return served.client(served.client().login(LogIn(name=name, passphrase=passphrase)).token)


def test_a_new_passphrase_ends_all_other_logins(served: Served, admin: FarmClient) -> None:
    bea, laptop = served.invited(admin, "bea"), log_in(served, OLD)
    with pytest.raises(WrongPassphrase):
        UserCalls(bea).change_passphrase(ChangePassphrase(old=NEW, new=NEW))
    UserCalls(bea).change_passphrase(ChangePassphrase(old=OLD, new=NEW))
    assert bea.me().name == "bea"
    with pytest.raises(Unauthenticated):
        laptop.me()
    with pytest.raises(WrongPassphrase):
        log_in(served, OLD)
    assert log_in(served, NEW).me().name == "bea"


def test_an_admins_code_gives_a_new_passphrase_once(served: Served, admin: FarmClient) -> None:
    bea = served.invited(admin, "bea")
    with pytest.raises(Forbidden):
        UserCalls(bea).make_recovery("ada")
    former, made = (UserCalls(admin).make_recovery("bea") for _ in range(2))
    calls = UserCalls(served.client())
    for code in ("", former.code, made.code[:-1]):
        with pytest.raises(WrongPassphrase):
            calls.recover(Recover(name="bea", code=code, passphrase=NEW))
    again = served.client(calls.recover(Recover(name="bea", code=made.code.upper(), passphrase=NEW)).token)
    assert again.me().name == "bea"
    with pytest.raises(WrongPassphrase):
        calls.recover(Recover(name="bea", code=made.code, passphrase=OLD))
    with pytest.raises(Unauthenticated):
        bea.me()
    again.make_slave_key("ws01")
    again.make_slave_key("ws01")
    book = [(deed.user, deed.verb) for deed in UserCalls(admin).deeds()]
    hers = ["new slave key", "slave key", "recovered"]
    asked = [("ada", "recovery code")] * 2
    assert book[:6] == [*(("bea", verb) for verb in hers), *asked, ("bea", "register")]


def test_a_user_who_is_kept_out_is_out_at_once_with_their_slaves_and_jobs(served: Served, admin: FarmClient) -> None:
    bea = served.invited(admin, "bea")
    slave = served.slave(bea)
    job = submit(bea, "1-3")
    assert leased(slave).attempt
    UserCalls(admin).set_disabled("bea", disabled=True)
    with pytest.raises(Unauthenticated):
        bea.me()
    with pytest.raises(WrongPassphrase):
        log_in(served, OLD)
    assert slave.report(want=1).status_code == 401
    assert slave.http.post("/api/slave/login", json=slave.login).status_code == 401
    assert admin.job(job).state == "paused"
    assert {user.name: user.disabled for user in UserCalls(admin).users()} == {"ada": False, "bea": True}
    with pytest.raises(Conflict):
        UserCalls(admin).set_disabled("ada", disabled=True)
    UserCalls(admin).set_disabled("bea", disabled=False)
    assert log_in(served, OLD).me().name == "bea"


def test_an_admins_word_on_a_job_is_on_record_and_can_be_taken_back(served: Served, admin: FarmClient) -> None:
    bea = served.invited(admin, "bea")
    job, other = submit(bea, "1-3"), submit(bea, "1-3")
    with pytest.raises(Forbidden):
        bea.put_first(job)
    assert admin.put_first(job).rush == 1
    assert admin.put_first(job, hold_others=True).rush == 2
    assert bea.why(other).reasons == [f"An admin holds all other jobs until distren://home/{job} is done."]
    attempt = leased(served.slave(admin)).attempt
    (made,) = bea.why(job, 1).assignments
    assert (made.attempt, made.slave, made.state) == (attempt, "ws01", "open")
    assert admin.put_back(job).rush == 0
    assert [deed.verb for deed in UserCalls(admin).deeds() if deed.job] == ["first no more", "hold others", "first"]
    with pytest.raises(Forbidden):
        UserCalls(bea).deeds()


def test_an_admin_says_how_much_a_user_may_keep(served: Served, admin: FarmClient) -> None:
    bea = served.invited(admin, "bea")
    with pytest.raises(Forbidden):
        UserCalls(bea).set_quota("bea", 10**15)
    UserCalls(admin).set_quota("bea", 7)
    assert bea.me().quota_bytes == 7
    (deed, *_) = UserCalls(admin).deeds()
    assert (deed.verb, deed.detail) == ("set quota", "bea: 7 bytes")
