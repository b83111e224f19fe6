"""The first start, and the second."""

from __future__ import annotations

from functools import partial

import pytest

from farm.accounts import users
from farm.accounts.users import NewUser
from farm.database import numbers
from farm.database.handle import Database
from farm.server import setup
from farm.words.clock import SECOND
from farm.words.errors import NotASetup

NOW = 1_700_000_000 * SECOND


def test_the_setup_code_stays_until_there_is_an_admin(database: Database) -> None:
    first = setup.found(database, "home", NOW)
    again = setup.found(database, "", NOW + 1)
    assert first == again
    assert first.setup_code
    admin = NewUser("ada", "hash", 1)
    database.write_now(partial(users.register, new=admin, invite=first.setup_code, at=NOW))
    assert setup.found(database, "home", NOW) == setup.Founded("home", None)
    assert first.setup_code not in str(database.read_now(lambda c: c.exec_driver_sql("SELECT * FROM meta").all()))


def test_a_server_s_name_is_constant(database: Database) -> None:
    setup.found(database, "home", NOW)
    with pytest.raises(NotASetup, match="can't become"):
        setup.found(database, "other", NOW)


@pytest.mark.parametrize(
    ("machine", "name"),
    [("WS-01.studio.lan", "ws-01"), ("Ada's Mac", "ada-s-mac"), ("localhost", "home"), ("---", "home"), ("", "home")],
)
def test_a_server_is_named_after_its_machine(machine: str, name: str) -> None:
    assert setup.machine_name(machine) == name


def test_job_numbers_go_on_above_those_in_the_storage(database: Database) -> None:
    setup.numbers_above(database, 0)
    assert database.write_now(partial(numbers.take, name="job")) == 1
    setup.numbers_above(database, 40)
    assert database.write_now(partial(numbers.take, name="job")) == 41
    setup.numbers_above(database, 40)
    assert database.write_now(partial(numbers.take, name="job")) == 42


def test_a_new_database_beside_an_old_storage_reuses_no_number(database: Database) -> None:
    setup.numbers_above(database, 7)
    assert database.write_now(partial(numbers.take, name="job")) == 8
