"""All that is fuzzed (`make fuzz`), with what it is for, what broke it once, and a little of what would."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, folder

CRASHES = sorted((Path(__file__).parent / "crashes").iterdir())
"""Inputs by which something broke once; their names begin with their target's."""

TRIES = 40


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore")
def test_what_is_damaged_is_refused_in_words(name: str) -> None:
    dice, target = random.Random(7), TARGETS[name]
    for seed in target.seeds:
        target(seed)
        for _ in range(TRIES):
            data = bytearray(seed[: dice.randrange(len(seed) + 1)] if dice.random() < 0.3 else seed)
            for _ in range(dice.randrange(1, 4)):
                if data:
                    data[dice.randrange(len(data))] = dice.choice((0, 0xFF, dice.randrange(256)))
            target(bytes(data))


@pytest.mark.parametrize("file", CRASHES, ids=lambda file: file.name)
def test_what_broke_once_is_refused_in_words(file: Path) -> None:
    (target,) = [found for name, found in TARGETS.items() if file.name.startswith(f"{folder(name)}-")]
    target(file.read_bytes())
