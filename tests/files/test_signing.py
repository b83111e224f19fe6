"""Addresses that permit one thing. tests/farm/test_direct.py has a real S3 service that believes them, or does not."""

from __future__ import annotations

from datetime import UTC, datetime

from farm.files.signing import Signer

DOCUMENTED = Signer(
    "https://examplebucket.s3.amazonaws.com",
    "us-east-1",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)
"""The bucket and the key of Amazon's own example, in “Authenticating Requests: Using Query Parameters”."""


def test_an_address_is_signed_as_amazons_documentation_has_it() -> None:
    address = DOCUMENTED.address("GET", "test.txt", 86400, datetime(2013, 5, 24, tzinfo=UTC))
    assert address.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_a_signer_does_not_say_its_secret() -> None:
    assert "EXAMPLEKEY" not in repr(DOCUMENTED)
