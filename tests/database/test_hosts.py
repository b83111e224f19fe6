"""A database that has several hosts: the first of them that works is used."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from farm.database import hosts
from farm.database.engine import parse
from farm.database.handle import Database
from farm.words.errors import NotASetup
from tests.databases import MariaDB
from tests.ports import free_port


def test_hosts_are_named_in_their_order_each_with_its_port() -> None:
    url = parse("mysql+pymysql://anna:secret@/farm?host=db1&host=db2:3307&charset=utf8mb4")
    assert hosts.of(url) == [("db1", 3306), ("db2", 3307)]
    assert hosts.without(url).query == {"charset": "utf8mb4"}
    assert hosts.of(parse("mysql+pymysql://anna@db1/farm")) == []
    assert hosts.of(parse("mysql+pymysql://anna@/farm?host=db1")) == [("db1", 3306)]


def test_a_host_that_is_down_is_passed_over(mariadb: MariaDB) -> None:
    with mariadb.fresh() as url:
        name = url.rpartition("/")[2]
        database = Database.open(
            f"mysql+pymysql://root@/{name}?host=127.0.0.1:{free_port()}&host=127.0.0.1:{mariadb.port}"
        )
        assert database.write_now(lambda conn: conn.execute(text("SELECT @@port")).scalar()) == mariadb.port
        assert database.read_now(lambda conn: conn.execute(text("SELECT @@port")).scalar()) == mariadb.port
        database.close()


def test_where_no_host_answers_it_is_said_without_the_password() -> None:
    url = f"mysql+pymysql://anna:secret@/farm?host=127.0.0.1:{free_port()}&host=127.0.0.1:{free_port()}"
    with pytest.raises(NotASetup, match="can't be used") as refused:
        Database.open(url)
    assert "secret" not in refused.value.message
