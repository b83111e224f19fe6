from __future__ import annotations

import pytest

from farm.words.errors import Malformed
from farm.words.joincode import JoinCode, fingerprint_of

SECRET = "k7m2p-x9q4r-h3w8t-b6n5v"


@pytest.mark.parametrize("code", [
    JoinCode(SECRET, "http://10.0.0.5:8282"),
    JoinCode(SECRET, "https://farm.example.org", "ab" * 32),
    JoinCode(SECRET, "distren://home"),
])  # fmt: skip
def test_a_code_is_read_as_it_was_written(code: JoinCode) -> None:
    assert JoinCode.parse(str(code)) == code


def test_a_code_may_be_typed_or_broken_over_lines() -> None:
    assert JoinCode.parse(f" {SECRET.upper()}@\n 10.0.0.5:8282 ") == JoinCode(SECRET, "10.0.0.5:8282")


@pytest.mark.parametrize("text", ["", SECRET, f"{SECRET}@", f"@{SECRET}", "abc@host", f"{SECRET}@host#12"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        JoinCode.parse(text)


def test_a_text_without_a_certificate_has_no_fingerprint() -> None:
    assert fingerprint_of("") == ""
    assert fingerprint_of("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----") == ""
