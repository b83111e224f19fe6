"""TLS of the server's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.words.errors import Unreachable
from tests.serving import serving


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(made, check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def test_a_server_with_a_certificate_speaks_tls_to_those_who_trust_it(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    with serving(tmp_path / "data", ssl_certificate=cert, ssl_key=key) as served:
        assert served.url.startswith("https://127.0.0.1:")
        with FarmClient(served.url, verify=str(cert)) as trusting:
            assert trusting.server_info().name == "home"
        with FarmClient(served.url) as doubting, pytest.raises(Unreachable):
            doubting.server_info()
