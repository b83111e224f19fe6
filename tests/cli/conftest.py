"""What the tests of the command share: a command line of its own, away from this person's logins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farm.cli.main import app

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home; no variable of DistRen is set."""
    import os

    for name in [n for n in os.environ if n.startswith("DISTREN_")]:
        monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Return a function that runs `distren` with some words, and returns what came of it."""
    runner = CliRunner()
    return lambda *words, **how: runner.invoke(app, [str(word) for word in words], **how)
