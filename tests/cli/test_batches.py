"""Which finished files travel together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.cli.batches import BYTES, FRAMES, SMALL, batches
from farm.package.bundle import member_names
from farm.protocol.jobs import OutputFile


def file(frame: int, size: int, name: str = "") -> OutputFile:
    return OutputFile(frame=frame, name=name or f"{frame}.png", sha256="0" * 64, size=size)


def test_small_frames_travel_together_and_large_files_alone() -> None:
    files = [file(1, 10), file(1, 10, "b"), file(2, SMALL), file(3, SMALL, "a"), file(3, 1, "b"), file(4, 10)]
    assert [[(f.frame, f.name) for f in batch] for batch in batches(files)] == [
        [(3, "a")],
        [(3, "b")],
        [(1, "1.png"), (1, "b"), (2, "2.png"), (4, "4.png")],
    ]


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 2 * SMALL)), max_size=400))
def test_each_file_is_in_one_batch_and_no_batch_is_too_large(told: list[tuple[int, int]]) -> None:
    files = [file(frame, size, f"{place}.png") for place, (frame, size) in enumerate(sorted(told))]
    made = list(batches(files))
    assert sorted(f.name for batch in made for f in batch) == sorted(f.name for f in files)
    for batch in made:
        assert len({f.frame for f in batch}) <= FRAMES
        assert len(batch) == 1 or sum(f.size for f in batch) <= BYTES


def test_files_of_one_name_get_a_folder_per_frame_but_for_the_first() -> None:
    told = [(1, "a.png"), (2, "a.png"), (2, "b.png"), (3, "a.png")]
    assert list(member_names(told)) == ["a.png", "frame_2/a.png", "b.png", "frame_3/a.png"]
