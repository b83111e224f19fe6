"""Servers on the local network, found with the standard library alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.comms import nearby
from blender_addon.comms.trouble import Trouble
from farm.protocol import discovery
from tests.farm.test_discovery import announcing
from tests.network import Hub, hub


@pytest.fixture
def lan() -> Iterator[Hub]:
    with hub(3) as network:
        yield network


def found(*names: str) -> list[nearby.Server]:
    """Look until servers of these names are found."""
    for _ in range(20):
        servers = nearby.look(1.5)
        if {server.name for server in servers} == set(names):
            return servers
    pytest.fail(f"found {servers}, not {names}")


def test_servers_are_found_and_none_of_them_is_spoken_to(lan: Hub) -> None:
    near, other, artist = lan.sides
    with contextlib.ExitStack() as kept:
        with near.entered():
            home = kept.enter_context(announcing("home", "home", near.address))
        with other.entered():
            farm = kept.enter_context(announcing("farm", "farm.example", other.address))
            kept.enter_context(announcing("odd", "No Name!", other.address))
        with artist.entered():
            servers = found("farm.example", "home")
        assert servers == [
            nearby.Server("farm.example", f"http://{other.address}:{farm.getsockname()[1]}", "9.9"),
            nearby.Server("home", f"http://{near.address}:{home.getsockname()[1]}", "9.9"),
        ]
        for port in (home, farm):
            with pytest.raises(BlockingIOError):
                port.accept()


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "GROUP", ("255.255.255.255", 5353))
    with pytest.raises(Trouble, match="There is no network"):
        nearby.look(0.2)


def test_add_on_and_server_mean_the_same_service() -> None:
    assert f"{nearby.SERVICE}." == discovery.SERVICE


@given(st.binary(max_size=300))
def test_nothing_that_the_network_says_breaks_it(noise: bytes) -> None:
    for data in (noise, b"\0\0\x84\0\0\0\0\x03\0\0\0\0" + noise):
        with contextlib.suppress(*nearby.SENSELESS):
            list(nearby._read(data))
