"""TLS of the server's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from farm.words.errors import Unreachable
from tests.serving import PASSPHRASE, serving


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


def test_a_slave_trusts_the_certificate_of_its_settings(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    places = {name: tmp_path / name for name in ("cache", "work", "state")}
    with (
        serving(tmp_path / "data", ssl_certificate=cert, ssl_key=key) as served,
        FarmClient(served.url, verify=str(cert)) as guest,
    ):
        wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": served.ready.setup_code}
        token = guest.register(Register.model_validate(wish)).token
        with FarmClient(served.url, token, str(cert)) as ada:
            made = ada.make_slave_key("ws01")
            options = {"server": served.url, "key": made.key, "certificate": cert, "methods": "sleep", **places}
            arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
            process = subprocess.Popen(
                [sys.executable, "-m", "farm.cli.main", "slave", "--json", *arguments],
                env={**os.environ, "DISTREN_SLAVE_PASSWORD": made.password, "DISTREN_SLAVE_CONFIG": os.devnull},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert process.stdout is not None
            said = next(line for line in process.stdout if "logged in" in line or "waiting" in line)
            process.terminate()
            process.communicate(timeout=30)
            assert "logged in" in said
