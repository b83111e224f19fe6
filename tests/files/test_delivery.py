"""Finished files in a folder of the admin's choice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from farm.files.delivery import LEDGER, Deliveries


def blob(folder: Path, content: bytes) -> Path:
    path = folder / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return path


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    (tmp_path / "nas").mkdir()
    return Deliveries(tmp_path / "nas")


def test_what_is_in_the_place_of_a_newer_picture_is_kept(deliveries: Deliveries, tmp_path: Path) -> None:
    first, second = blob(tmp_path, b"first"), blob(tmp_path, b"second")
    for each in (first, first, second, second):
        deliveries.show_output(3, "passes/0001.exr", each)
    folder = deliveries.root / "job3" / "passes"
    assert (folder / "0001.exr").read_bytes() == b"second"
    assert [path.read_bytes() for path in (folder / "former").rglob("*.exr")] == [b"first"]


def test_what_was_moved_away_does_not_come_again(deliveries: Deliveries, tmp_path: Path) -> None:
    one = blob(tmp_path, b"one")
    outputs = [("0001.png", bytes.fromhex(one.name)), ("0002.png", b"2" * 32)]
    assert deliveries.unshown(3, outputs) == outputs
    deliveries.show_output(3, "0001.png", one)
    (deliveries.root / "job3" / "0001.png").unlink()
    assert deliveries.unshown(3, outputs) == outputs[1:]
    deliveries.remove(3)
    assert (deliveries.root / "job3" / LEDGER).exists()


def test_a_folder_that_is_away_is_not_made(tmp_path: Path) -> None:
    away = Deliveries(tmp_path / "nas")
    with pytest.raises(OSError, match="is away"):
        away.show_output(3, "0001.png", blob(tmp_path, b"one"))
    assert not away.root.exists()
