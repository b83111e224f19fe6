"""Certificates that nobody vouches for, made by OpenSSL."""

from __future__ import annotations

import subprocess
from pathlib import Path


def certificate_for(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for two days; return its file and its key's.

    Args:
        folder: where they go.
        name: whom it is for, as OpenSSL writes it: `DNS:localhost`, `IP:127.0.0.1`.
    """
    made, key = folder / "cert.pem", folder / "key.pem"
    kind = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={name}"]
    subprocess.run([*kind, *named, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key
