"""The way past a server: who may be led there."""

from __future__ import annotations

import httpx

from farm.client.detour import Detour


def led(address: str) -> httpx.Response:
    """Return the answer of a server that leads somewhere else."""
    request = httpx.Request("GET", "https://farm.example.org/api/blobs/1")
    return httpx.Response(307, headers={"location": address}, request=request)


def test_a_server_leads_to_its_bucket_but_never_out_of_tls() -> None:
    detour = Detour()
    assert detour.asked
    assert detour.address(led("https://bucket.example.org/farm/1")) == "https://bucket.example.org/farm/1"
    assert detour.address(led("http://bucket.example.org/farm/1")) == ""


def test_another_farms_server_leads_nowhere_asked_or_not() -> None:
    detour = Detour(closed=True)
    assert not detour.asked
    assert detour.address(led("https://10.0.0.1/latest/meta-data")) == ""
    detour.failed()
    assert not detour.asked
