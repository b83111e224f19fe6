from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import Result

from farm.words.errands import Errand
from farm.words.errors import Conflict, Malformed
from farm.words.states import SlaveState
from tests.api.test_upgrades import Old, old
from tests.cli.conftest import Run
from tests.serving import serving


def test_slaves_that_take_nothing_are_listed_with_their_reason(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "data") as served:
        admin = served.admin()
        monkeypatch.setenv("DISTREN_TOKEN", admin._http.headers["Authorization"].removeprefix("Bearer "))
        slave = served.slave(admin, "ws01")
        reason = "work (/render) has 12 bytes free and needs 33,554,432"
        slave.orders(message=reason)
        assert f"ws01: {reason}" in run("slaves", "--server", served.url).output
        slave.orders()
        assert reason not in run("slaves", "--server", served.url).output


def test_many_slaves_are_sent_on_errands_at_once_and_what_one_refuses_is_no_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor() as pool, serving(tmp_path / "data", heartbeat_seconds=300) as served:
        admin = served.admin()
        monkeypatch.setenv("DISTREN_TOKEN", admin._http.headers["Authorization"].removeprefix("Bearer "))
        served.slave(admin, "strange")
        slaves = [old(served, admin, name) for name in ("ws01", "ws02")]
        at = ("--server", served.url)
        doing = [pool.submit(_does, slave, errands) for slave, errands in zip(slaves, (1, 2), strict=True)]
        shown = run("slaves", "log", "ws01", "ws02", *at)
        assert _said(shown) == ["== ws01", "All is well.", "== ws02", "All is well."]
        tested = run("slaves", "test", "ws02", "strange", "--json", *at)
        told = json.loads("".join(_said(tested)))
        assert told["slaves"]["ws02"] == "64x64 pixels"
        assert "does not run errands" in told["slaves"]["strange"]
        assert (tested.exit_code, told["refused"]) == (Conflict.exit_code, ["strange"])
        assert [one.result(60) for one in doing] == [1, 2]
        assert run("slaves", "restart", "--all", *at).exit_code == 0
        assert [_errand(slave) for slave in slaves] == ["restart", "restart"]
        assert run("slaves", "--pause", "ws01,ws02", *at).exit_code == 0
        assert {one.name for one in admin.slaves() if one.state is SlaveState.PAUSED} == {"ws01", "ws02"}
        assert run("slaves", "rest", "ws01", "--hours", "200", *at).exit_code == Malformed.exit_code
        assert run("slaves", "wake", *at).exit_code == Malformed.exit_code, "none is named"
        for slave in slaves:
            slave.close()


def _does(slave: Old, wanted: int) -> int:
    """Do so many errands as a slave; return how many it was."""
    done = set[int]()
    while len(done) < wanted:
        order = slave.orders(hold=20).errand
        if order is None or order.number in done:
            continue
        text = "All is well.\n" if order.errand is Errand.LOG else ""
        word = {"number": order.number, "stage": "done", "message": "64x64 pixels", "text": text}
        slave.http.post("/api/slave/errand", json=word).raise_for_status()
        done.add(order.number)
    return len(done)


def _said(result: Result) -> list[str]:
    """Return what the command said, without what the server in this process says."""
    return [line for line in result.stdout.splitlines() if not re.match(r"\d{4}-\d\d-\d\d ", line)]


def _errand(slave: Old) -> str:
    order = slave.orders().errand
    return order.errand if order else ""
