"""Machines that join by a code, over HTTP."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from farm.accounts.throttle import Limit
from farm.client.farmclient import FarmClient
from farm.protocol.joining import Join, Joined, MakeJoinCode
from farm.words.errors import Forbidden, RegistrationRefused, TooManyRequests
from farm.words.joincode import JoinCode
from tests.serving import Served, SlaveCaller


def join(served: Served, code: str, name: str = "ws01") -> Joined:
    secret = SecretStr(JoinCode.parse(code).secret)
    return served.client().join(Join(secret=secret, name=name))


def test_a_code_holds_all_that_a_machine_needs_to_join_and_log_in(served: Served, admin: FarmClient) -> None:
    made = admin.make_join_code(MakeJoinCode())
    assert JoinCode.parse(made.code).address == served.url
    joined = join(served, made.code)
    assert (joined.name, joined.server, joined.owner) == ("ws01", "home", "ada")
    slave = SlaveCaller(served.url, joined.key, joined.password)
    slave.close()
    assert [(s.name, s.owner, s.state) for s in admin.slaves()] == [("ws01", "ada", "idle")]
    with pytest.raises(RegistrationRefused):
        join(served, made.code, "ws02")


def test_admins_list_codes_without_secrets_and_revoke_them(served: Served, admin: FarmClient) -> None:
    made = admin.make_join_code(MakeJoinCode(machines=20, address="https://farm.example.org"))
    assert made.code.endswith("@https://farm.example.org")
    assert [(c.name, c.machines) for c in admin.join_codes()] == [(made.name, 20)]
    admin.revoke_join_code(made.name)
    assert admin.join_codes() == []
    with pytest.raises(RegistrationRefused):
        join(served, made.code)


def test_only_admins_make_codes_and_guessing_is_slowed_down(served: Served, admin: FarmClient) -> None:
    bob = served.invited(admin, "bob")
    with pytest.raises(Forbidden):
        bob.make_join_code(MakeJoinCode())
    with pytest.raises(Forbidden):
        bob.join_codes()
    guess = "aaaaa-aaaaa-aaaaa-aaaaa@x"
    for _ in range(Limit().pair):
        with pytest.raises(RegistrationRefused):
            join(served, guess)
    with pytest.raises(TooManyRequests):
        join(served, guess)
