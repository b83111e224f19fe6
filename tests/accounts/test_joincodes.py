"""Join codes, on both databases."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import update
from sqlalchemy.engine import Connection

from farm.accounts import joincodes, slavekeys
from farm.accounts.identity import Identity
from farm.database.handle import Database
from farm.database.schema import slaves
from farm.protocol.joining import MakeJoinCode, SlaveKeyMade
from farm.words.clock import SECOND
from farm.words.errors import NotFound, RegistrationRefused
from tests.accounts.test_accounts import NOW, new_user

DAY = 86_400 * SECOND


def new_code(database: Database, owner: Identity, **wish: object) -> str:
    made = partial(joincodes.make, wish=MakeJoinCode.model_validate(wish), owner=owner, at=NOW)
    return database.write_now(made)[0]


def join(database: Database, code: str, name: str = "ws01", at: int = NOW) -> SlaveKeyMade:
    return database.write_now(partial(joincodes.redeem, secret=code, wanted=name, at=at))[0]


def come(conn: Connection, made: SlaveKeyMade) -> None:
    """Have a slave come, so that its name is taken for good."""
    conn.execute(update(slaves).where(slaves.c.name == made.name).values(seen=NOW, version="0.1.0"))


def test_a_code_makes_as_many_slaves_of_its_makers_as_it_says(database: Database) -> None:
    ada = new_user(database)
    code = new_code(database, ada, machines=2)
    assert database.read_now(partial(joincodes.views, at=NOW))[0].machines == 2
    names = [join(database, code, name).name for name in ("ws01", "ws02")]
    assert names == ["ws01", "ws02"]
    assert all(database.read_now(partial(slavekeys.own, name=name, asker=ada)) for name in names)
    with pytest.raises(RegistrationRefused):
        join(database, code, "ws03")
    assert database.read_now(partial(joincodes.views, at=NOW)) == []


def test_a_code_expires_and_can_be_revoked(database: Database) -> None:
    ada = new_user(database)
    code = new_code(database, ada)
    with pytest.raises(RegistrationRefused):
        join(database, code, at=NOW + DAY)
    database.write_now(partial(joincodes.revoke, name=code.partition("-")[0]))
    with pytest.raises(RegistrationRefused):
        join(database, code)
    with pytest.raises(NotFound):
        database.write_now(partial(joincodes.revoke, name=code.partition("-")[0]))


def test_machines_of_one_name_become_slaves_of_several(database: Database) -> None:
    bob = new_user(database, "bob")
    database.write_now(partial(slavekeys.make, name="ws01", owner=bob, at=NOW))
    code = new_code(database, new_user(database), machines=9)
    second = join(database, code)
    assert second.name == "ws01-2", "the name is another user's"
    assert join(database, code).name == "ws01-2", "a try that broke off goes on"
    database.write_now(partial(come, made=join(database, code)))
    assert join(database, code).name == "ws01-3"
    assert join(database, code, "w" * 32).name == "w" * 32
