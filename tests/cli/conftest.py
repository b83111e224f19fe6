"""What the tests of the command share: a command line of its own, away from this person's logins."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from farm.cli.main import app
from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from farm.simulator.ownfarm import OwnFarm

PASSPHRASE = "correct horse battery"
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home; no variable of DistRen is set."""
    import os

    for name in [n for n in os.environ if n.startswith("DISTREN_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Return a function that runs `distren` with some words, and returns what came of it."""
    runner = CliRunner()
    return lambda *words, **how: runner.invoke(app, [str(word) for word in words], **how)


@dataclass
class Farm:
    url: str
    admin_token: str
    first_code: str


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Run a server with one slave that sleeps instead of rendering, on two slots."""
    with OwnFarm(tmp_path_factory.mktemp("farm") / "run") as processes:
        ready = processes.start_server()
        url, code = str(ready["url"]), str(ready["setup_code"])
        with FarmClient(url) as guest:
            admin = guest.register(Register(name="admin", passphrase=SecretStr(PASSPHRASE), invite=code))
        with FarmClient(url, admin.token) as client:
            key = client.make_slave_key("ws01")
        processes.start_slave(url, key, {"methods": "sleep", "slots": "2", "tags": "quick,own"})
        with FarmClient(url, admin.token) as client:
            wait_for(lambda: client.slaves()[0].state == "idle")
        yield Farm(url, admin.token, code)
        processes.check()


def wait_for(come: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not come():
        assert time.monotonic() < end
        time.sleep(0.1)


def register(run: Run, farm: Farm) -> None:
    made = json.loads(run("invite", "--json", "--server", farm.url, env={"DISTREN_TOKEN": farm.admin_token}).stdout)
    name = f"ada-{secrets.token_hex(4)}"
    result = run("register", name, "--invite", made["code"], "--server", farm.url)
    assert result.exit_code == 0, result.output


@pytest.fixture
def ada(farm: Farm, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the command line of a new user who has just registered."""
    monkeypatch.setenv("DISTREN_PASSPHRASE", PASSPHRASE)
    register(run, farm)
    return run


@pytest.fixture
def boss(farm: Farm, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the command line of the admin."""
    monkeypatch.setenv("DISTREN_SERVER", farm.url)
    monkeypatch.setenv("DISTREN_TOKEN", farm.admin_token)
    return run
