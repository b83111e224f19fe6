"""The session wire: events among garbage, wherever reads are cut."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from farm.slave.wire import LONGEST, MARK, Splitter, number

events = st.fixed_dictionaries({"event": st.text(), "x": st.integers() | st.text()})
garbage = st.binary(max_size=40).map(lambda b: b.replace(MARK, b"").replace(b"\n", b""))


@given(st.lists(st.tuples(garbage, events)), st.lists(st.integers(1, 50), min_size=1))
def test_events_are_found_among_garbage_wherever_the_reads_are_cut(items, cuts):
    data = b"".join(stray + MARK + json.dumps(event).encode() + b"\n" for stray, event in items)
    splitter, found, at, turn = Splitter(), [], 0, 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        found += splitter.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    found += splitter.end()
    assert [f for f in found if isinstance(f, dict)] == [event for _, event in items]
    assert b"".join(f for f in found if isinstance(f, bytes)).replace(b"\n", b"") == b"".join(s for s, _ in items)


@given(st.binary())
def test_no_bytes_break_the_splitter(data):
    splitter = Splitter()
    for part in [*splitter.feed(data), *splitter.feed(b"\n"), *splitter.end()]:
        assert isinstance(part, bytes) or isinstance(part["event"], str)


def test_a_line_without_end_is_not_kept():
    splitter = Splitter()
    lost = sum(len(part) for _ in range(40) for part in splitter.feed(b"x" * 100_000))
    assert lost > 40 * 100_000 - LONGEST - 200_000


def test_numbers_of_a_child_are_not_believed():
    event = {"a": 1.5, "b": "7", "c": None, "d": -3, "e": float("nan"), "f": True, "g": 1e30}
    assert [number(event, name) for name in "abcdefgh"] == [1.5, 0, 0, 0, 0, 0, 0, 0]
