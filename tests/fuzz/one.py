"""One target under atheris: `python -m tests.fuzz.one NAME …` with libFuzzer's options."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["farm", "tarfile", "tomllib", "http.cookies", "python_multipart"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz."""
    program, name, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[name])
    atheris.Fuzz()


main()
