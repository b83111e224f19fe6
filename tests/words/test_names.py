from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.words.errors import BadAddress
from farm.words.names import SERVER_NAME, Address, server_name

names = st.from_regex(SERVER_NAME, fullmatch=True)
counts = st.integers(0, 2**53)


@given(names, counts, counts)
def test_an_address_reads_what_it_wrote(server: str, job: int, frame: int) -> None:
    for address in (Address(server), Address(server, job), Address(server, job, frame)):
        assert Address.parse(str(address)) == address


def test_short_forms_belong_to_the_server_at_home() -> None:
    assert Address.parse("12", "annex") == Address("annex", 12)
    assert Address.parse("12/3", "annex") == Address("annex", 12, 3)


@pytest.mark.parametrize(
    "text", ["", "12/3/4", "distren://", "distren:///1", "http://home/1", "-1", "a/b", "distren://ä/1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        Address.parse(text)


@pytest.mark.parametrize("text", ["", "-a", "a.", "a" * 64, "a_b", "a b"])
def test_what_is_no_server_name_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        server_name(text)


def test_server_names_are_lower_case() -> None:
    assert server_name(" Farm.Example.ORG ") == "farm.example.org"
