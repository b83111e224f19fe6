"""A slave tells what its renderers say, while somebody reads it."""

from __future__ import annotations

from pathlib import Path

from farm.protocol.slaves import MOST_OF_TAIL
from farm.slave.held import Held
from farm.slave.renderlog import RenderLog
from farm.slave.watched import Watched


def test_what_is_new_is_told_once_and_only_of_watched_frames(tmp_path: Path) -> None:
    log, watched = RenderLog(tmp_path / "log"), Watched()
    log.append(b"of the frame before\n")
    log.begin()
    frames = [Held(7, 1, 1, 3, 3, log=log), Held(8, 1, 1, 4, 4, log=log), Held(9, 1, 1, 5, 5)]
    log.append(b"one\n")
    assert [one.tail for one in watched.running(frames)] == ["", "", ""]
    watched.watch([7, 9])
    assert [(one.tail_at, one.tail) for one in watched.running(frames)] == [(0, "one\n"), (0, ""), (0, "")]
    assert watched.running(frames)[0].tail == ""
    log.append("zwei Größen\r\n\x1b[31mrot\x1b[0m\n".encode())
    assert [(one.tail_at, one.tail) for one in watched.running(frames[:1])] == [(4, "zwei Größen\nrot\n")]
    watched.watch([])
    log.append(b"unheard\n")
    assert watched.running(frames)[0].tail == ""
    watched.watch([7])
    assert watched.running(frames)[0].tail.startswith("one\nzwei")


def test_of_much_only_the_end_is_told(tmp_path: Path) -> None:
    log, watched = RenderLog(tmp_path / "log"), Watched()
    log.begin()
    log.append(b"x" * 10_000 + b"the end")
    watched.watch([7])
    (running,) = watched.running([Held(7, 1, 1, 3, 3, log=log)])
    assert (running.tail_at, len(running.tail)) == (10_007 - MOST_OF_TAIL, MOST_OF_TAIL)
    assert running.tail.endswith("the end")
