"""Servers on a local network that are found by their names."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from zeroconf import ServiceInfo, Zeroconf

from farm.client.discovery import find, servers
from farm.client.farmclient import FarmClient
from farm.client.peercalls import PeerCalls
from farm.protocol.discovery import SERVICE, txt_of
from farm.words.errors import Conflict
from farm.words.states import SlaveState
from tests.farm.farm import Farm, free_port
from tests.farm.homes import run
from tests.network import Hub, hub


@pytest.fixture
def lan() -> Iterator[Hub]:
    with hub(3) as network:
        yield network


@contextmanager
def announcing(label: str, name: str, address: str) -> Iterator[socket.socket]:
    """Announce a server that is none; give its port, at which nobody should knock."""
    with socket.create_server((address, 0)) as port:
        port.setblocking(False)
        facts = txt_of(name, "9.9", f"http://{address}", public=False)
        where = {"port": port.getsockname()[1], "addresses": [socket.inet_aton(address)]}
        info = ServiceInfo(SERVICE, f"{label}.{SERVICE}", properties=facts, server=f"{label}.local.", **where)
        network = Zeroconf(interfaces=[address])
        try:
            network.register_service(info)
            yield port
        finally:
            network.close()


def test_a_server_is_found_by_its_name_at_whatever_address_and_no_other_hears_a_word(lan: Hub, tmp_path: Path) -> None:
    near, other, far = lan.sides
    with near.entered():
        home = Farm(tmp_path, host=near.address, name="home")
    with other.entered(), contextlib.ExitStack() as kept:
        kept.callback(home.close)
        knocks = kept.enter_context(announcing("stranger", "farm.example", other.address))
        with far.entered():
            person = tmp_path / "person"
            home.until(lambda: {s.name for s in servers()} == {"home", "farm.example"}, 60, "both are found")
            assert run(person, "login", "ada", "--server", "distren://home").returncode == 0
            home.start_slave(server="distren://home")
        with near.entered():
            home.until(lambda: home.client.slaves()[0].state is SlaveState.IDLE, 60, "the slave found its server")
            home.server.stop()
            home.client.close()
            home.port = free_port()
            home.url = f"http://{home.host}:{home.port}"
            home.client = FarmClient(home.url, home.token)
            home.start_server()
            job = home.sleep_job("1-3")
            home.ended(job, 90)
        with far.entered():
            shown = run(person, "show", str(job), "--json")
            assert json.loads(shown.stdout)["state"] == "done", "the person finds it at its new address, too"
            missed = run(person, "login", "ada", "--server", "distren://nobody")
            assert missed.returncode == 3
            assert "farm.example, home" in missed.stderr
        with near.entered():
            assert PeerCalls(home.client).peers() == [], "who is found is no peer"
        with pytest.raises(BlockingIOError):
            knocks.accept()


def test_two_servers_of_one_name_are_not_guessed_between(lan: Hub) -> None:
    one, two, asking = lan.sides
    with contextlib.ExitStack() as kept:
        for number, side in enumerate((one, two)):
            with side.entered():
                kept.enter_context(announcing(f"home{number}", "home", side.address))
        with asking.entered(), pytest.raises(Conflict, match="call themselves"):
            find("home")
