"""Speak to a session child as a slave does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from farm.methods.base import Launch


class Child:
    """A session process: orders go in, events come out; all that is printed goes to a log."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self.log = log
        self.opening: dict[str, Any] = launch.open
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                launch.argv,
                env=launch.env,
                cwd=launch.cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def say(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()

    def events(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"\x1e"):
                yield json.loads(line[1:])

    def until(self, *kinds: str) -> dict[str, Any]:
        """Return the next event of one of these kinds."""
        for event in self.events():
            if event["event"] in kinds:
                return event
        raise AssertionError(f"It ended with {self.process.wait(20)}: {self.log.read_text()[-3000:]}")

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give an order and return how it ended."""
        self.say(order)
        return self.until("opened", "done", "failed")
