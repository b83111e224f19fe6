from __future__ import annotations

from pathlib import Path

import pytest

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
