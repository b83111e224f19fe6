from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.protocol.discovery import Announced, txt_of


def read(facts: dict[str, str]) -> Announced | None:
    return Announced.read({k.encode(): v.encode() for k, v in facts.items()}, "10.0.0.5", 8282)


@pytest.mark.parametrize(("url", "public"), [("http://10.0.0.5:8282", False), ("https://farm.example.org", True)])
def test_what_a_server_announces_is_what_others_read(url: str, public: bool) -> None:
    assert read(txt_of("home", "0.1.0", url, public=public)) == Announced(name="home", url=url, version="0.1.0")


@given(st.dictionaries(st.binary(max_size=9), st.none() | st.binary(max_size=40)))
def test_whatever_a_stranger_announces_is_ours_or_nothing(txt: dict[bytes, bytes | None]) -> None:
    found = Announced.read(txt, "10.0.0.5", 1)
    assert found is None or found.url.startswith(("http://", "https://"))


def test_other_schemes_are_not_followed() -> None:
    assert read({"name": "home", "scheme": "file"}) is None
    assert read({"name": "home", "url": "ftp://x"}) is None
