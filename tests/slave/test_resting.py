"""When a workstation rests."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farm.slave.atkeyboard import AtKeyboard
from farm.slave.resting import UNTIL, Resting, in_words
from farm.words.errors import BadSetting
from farm.words.settings import SlaveSettings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


def told(tmp_path: Path, clock: Clock, **settings: object) -> tuple[Resting, list[str]]:
    said: list[str] = []
    return Resting(SlaveSettings.model_validate(settings), tmp_path, said.append, clock), said


def test_it_rests_outside_of_its_hours_by_the_clock_of_its_time_zone(tmp_path: Path) -> None:
    clock = Clock()
    resting, said = told(tmp_path, clock, hours="22:00-06:00", zone="Pacific/Auckland")
    resting.look()
    assert said == [], "there it is one in the morning"
    clock.now += 5 * 3600
    resting.look()
    resting.look()
    assert said == ["it is outside of its hours"], "and is told once"
    clock.now += 16 * 3600
    resting.look()
    assert said[1:] == [""]


def test_its_hours_are_told_in_words() -> None:
    given = {"hours": "22:00-06:00", "zone": "Europe/Berlin", "away_minutes": 10}
    assert (
        in_words(SlaveSettings.model_validate(given)) == "22:00-06:00 (Europe/Berlin), after 10 minutes without input"
    )
    assert in_words(SlaveSettings()) == ""


def test_it_rests_as_long_as_its_owner_wants(tmp_path: Path) -> None:
    clock = Clock()
    resting, said = told(tmp_path, clock, zone="UTC")
    (tmp_path / UNTIL).write_text(f"{NOON + 7200:.0f}")
    resting.look()
    clock.now += 7201
    resting.look()
    assert said == ["its owner wants it to rest until 14:00", ""]


def test_whoever_touches_the_keyboard_is_there_for_some_minutes(tmp_path: Path) -> None:
    os.mkfifo(keyboard := tmp_path / "keyboard")
    clock = Clock()
    watch = AtKeyboard([keyboard], clock)
    with keyboard.open("wb", buffering=0) as person:
        clock.now += 600
        assert watch.idle() == 600
        person.write(b"x" * 100)
        clock.now += 60
        assert watch.idle() == 0
        clock.now += 60
        assert watch.idle() == 60
    watch.close()


def test_a_wrong_time_zone_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="no time zone"):
        told(tmp_path, Clock(), zone="Europe/Atlantis")
