"""What commands print: tables and lines for people, JSON for programs.

Answers go to stdout. Progress, questions and notices go to stderr, so that stdout can
be piped wherever it should go.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table
from rich.text import Text

STYLES = {
    "done": "green",
    "ok": "green",
    "idle": "green",
    "rendering": "cyan",
    "leased": "cyan",
    "queued": "yellow",
    "receiving": "yellow",
    "paused": "yellow",
    "warn": "yellow",
    "failed": "red",
    "fail": "red",
    "sick": "red",
    "canceled": "dim",
    "offline": "dim",
    "retired": "dim",
}


def stdout() -> Console:
    """Return the console of answers, as stdout is now."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def stderr() -> Console:
    """Return the console of progress and notices, as stderr is now."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print one line of an answer. A narrow terminal wraps it, we don't: paths and commands can be copied."""
    stdout().print(Text(text), soft_wrap=True)


def notice(text: str) -> None:
    """Print one line beside the answer."""
    stderr().print(Text(text), soft_wrap=True)


def emit(answer: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print an answer as one line of JSON."""
    sys.stdout.write(json.dumps(plain(answer), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Return a message, or messages inside lists and dicts, as plain JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def table(titles: Sequence[str], rows: Iterable[Sequence[str | Text]], right: Iterable[str] = ()) -> None:
    """Print rows under titles; `right` names the columns of numbers."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        grid.add_column(title, justify="right" if title in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    stdout().print(grid)


def facts(pairs: Iterable[tuple[str, str | Text]]) -> None:
    """Print pairs of a name and a value, leaving out those without value."""
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs:
        if value:
            grid.add_row(Text(name, style="dim"), value if isinstance(value, Text) else Text(value))
    stdout().print(grid)


def styled(state: str) -> Text:
    """Return a state's word in its colour."""
    return Text(state, style=STYLES.get(state, ""))


def size(count: float) -> str:
    """Return a number of bytes as people write it."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float | None) -> str:
    """Return a span of seconds as people write it; empty for None."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was; empty for None."""
    if moment is None:
        return ""
    passed = ((now or datetime.now(UTC)) - moment).total_seconds()
    return f"{span(max(0.0, passed))} ago"


def byte_progress(*, quiet: bool = False) -> Progress:
    """Return a progress display for bytes that are read or sent; it leaves nothing behind."""
    console = stderr()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    hidden = quiet or not console.is_terminal
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden)


def frame_progress(*, quiet: bool = False) -> Progress:
    """Return a progress display for frames; a task's field `note` says speed and what is left."""
    console = stderr()
    bar = BarColumn(40 if console.width >= 100 else 16 if console.width >= 72 else 8)
    columns = TextColumn("{task.description}"), bar, MofNCompleteColumn(), TextColumn("frames"), TaskProgressColumn()
    # In a narrow terminal the note is what gets shorter.
    note = TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    return Progress(*columns, note, console=console, disable=quiet, expand=True)


def interactive() -> bool:
    """Tell whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
