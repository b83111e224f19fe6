"""What a submission's frames depend on: read, resolved, refused by name, and laid out for the slave."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.database import schema
from farm.jobs.depends import FAN
from farm.jobs.frameviews import frame_view
from farm.jobs.graph import refuse_circles
from farm.jobs.jobviews import job_view
from farm.jobs.required import required
from farm.jobs.results import record
from farm.jobs.sheet import readable, sheet
from farm.jobs.unpack import keep, opened
from farm.protocol.depends import Dependency, spelled, written
from farm.scheduler.rules import Shape
from farm.words.errors import CircularDependency, DistrenError, FileNotHere, FrameNotFound, JobNotFound, Malformed
from farm.words.ranges import FrameRange
from tests.jobs.pretend import NOW, Farm, sha, tar_of


def shapes(farm: Farm, job: int) -> list[tuple[str, int, str, bool]]:
    rules = farm.database.read_now(
        lambda c: c.execute(schema.dependencies.select().where(schema.dependencies.c.job == job)).all()
    )
    return [(rule.frames, rule.on_job, rule.needs, rule.each) for rule in rules]


def states(farm: Farm, job: int) -> dict[str, int]:
    anna = farm.user(f"reader{job}", role="admin")
    view = farm.database.read_now(partial(job_view, asker=anna, job=job, server="home", at=NOW))
    return {name: count for name, count in view.counts.model_dump().items() if count}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("previous", {"match": "previous"}),
        ("5-9:previous", {"match": "previous", "frames": "5-9"}),
        ("12", {"on": "12"}),
        ("12/all", {"on": "12"}),
        ("12/3", {"on": "12", "needs": "3"}),
        ("12/same", {"on": "12", "match": "same"}),
        ("121:/1-120", {"frames": "121", "needs": "1-120"}),
        ("7:distren://other/12/1-9x2,20", {"frames": "7", "on": "distren://other/12", "needs": "1-9x2,20"}),
        ("distren://other/12/same", {"on": "distren://other/12", "match": "same"}),
    ],
)
def test_what_a_person_writes_is_read(text: str, meant: dict[str, str]) -> None:
    assert written(text) == Dependency.model_validate(meant)
    assert written(spelled(written(text))) == written(text)


@pytest.mark.parametrize("text", ["", "12/other", ":12", "job", "distren://other", "1-3:", "12/3/4"])
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"nothing that frames|neither frames"):
        written(text)


def test_shorthands_become_ranges(farm: Farm) -> None:
    anna = farm.user("anna")
    layer = farm.job(anna, frames="1-10")
    depends = [
        Dependency(match="previous"),
        Dependency(on=str(layer), match="same"),
        Dependency(frames="10", on=f"distren://home/{layer}"),
        Dependency(frames="9-10", needs="1-6", match="each"),
        Dependency(frames="10", on=f"{layer}/3"),
        Dependency(frames="10"),
    ]
    job = farm.job(anna, depends=depends)
    assert shapes(farm, job) == [
        ("2-10", job, "1-9", True),
        ("1-10", layer, "1-10", True),
        ("10", layer, "1-10", False),
        ("9-10", job, "1-6", True),
        ("10", layer, "3", False),
        ("10", job, "1-9", False),
    ]
    assert states(farm, job) == {"blocked": 10}


def test_frames_wait_for_the_one_before_them_in_their_own_set(farm: Farm) -> None:
    sets = [{"name": "left", "settings": {"samples": 1}}, {"name": "right", "settings": {"samples": 2}}]
    job = farm.job(farm.user("anna"), frames="1-5x2", sets=sets, depends=[Dependency(match="previous")])
    assert shapes(farm, job) == [("3-5x2", job, "1-3x2", True), ("10003-10005x2", job, "10001-10003x2", True)]
    assert states(farm, job) == {"ready": 2, "blocked": 4}


def test_one_by_one_for_very_many_becomes_a_rule_for_each(farm: Farm) -> None:
    text = f"1-{3 * (FAN + 1)}"
    last = 3 * (FAN + 1)
    depends = [Dependency(frames=f"{last + 1}-{last + 3}", needs=text, match="each")]
    job = farm.job(farm.user("anna"), frames=f"1-{last + 3}", depends=depends)
    assert [(frames, each) for frames, _, _, each in shapes(farm, job)] == [(str(last + n), False) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("depends", "error", "words"),
    [
        ({"on": "99"}, JobNotFound, r"depends\[0\]: There is no job 99"),
        ({"on": "1/77"}, FrameNotFound, "Job 1 has no frame 77"),
        ({"on": "1", "match": "same", "frames": "1-10"}, FrameNotFound, "Job 1 has no frame 4"),
        ({"frames": "11", "on": "1"}, FrameNotFound, "This job has no frame 11"),
        ({"on": "distren://other"}, Malformed, "is a server"),
        ({"on": "1", "match": "previous"}, Malformed, "one of the job itself"),
        ({"match": "same"}, Malformed, "wait for itself"),
        ({}, Malformed, "All frames would wait for all others"),
        ({"on": "1", "needs": "1-2", "match": "each"}, Malformed, "can't wait for 2 one by one"),
        ({"frames": "3", "needs": "3-4"}, CircularDependency, "3 waits for 3"),
        ({"on": "1", "frames": "1", "overlay": True}, Malformed, "for all of its frames"),
        ({"on": "1", "match": "same", "overlay": True}, Malformed, "for all of its frames"),
        ({"match": "previous", "overlay": True}, Malformed, "come of another job"),
    ],
)
def test_what_can_not_be_waited_for_is_refused_before_anything_is_kept(
    farm: Farm, depends: dict[str, str], error: type[DistrenError], words: str
) -> None:
    anna = farm.user("anna")
    farm.job(anna, frames="1-3")
    with pytest.raises(error, match=words):
        farm.job(anna, depends=[Dependency.model_validate(depends)])
    assert farm.count(schema.jobs) == 1


def test_a_strangers_job_can_not_be_waited_for(farm: Farm) -> None:
    secret = farm.job(farm.user("anna", studio=False))
    with pytest.raises(JobNotFound):
        farm.job(farm.user("eve", studio=False), depends=[Dependency(on=str(secret))])


def test_a_circle_is_named(farm: Farm) -> None:
    depends = [Dependency(frames=a, needs=b) for a, b in (("3", "7"), ("7", "5"), ("5", "3"))]
    with pytest.raises(CircularDependency, match="circle: 3 waits for 7 waits for 5 waits for 3"):
        farm.job(farm.user("anna"), depends=depends)


@given(st.lists(st.tuples(st.sets(st.integers(1, 8), min_size=1), st.sets(st.integers(1, 8), min_size=1)), max_size=6))
def test_circles_are_found_as_a_search_in_all_edges_finds_them(edges: list[tuple[set[int], set[int]]]) -> None:
    rules = [Shape(FrameRange.of(a), 0, FrameRange.of(b), each=False) for a, b in edges]
    needs = {n: set().union(*(b for a, b in edges if n in a)) for n in range(1, 9)}
    done: set[int] = set()
    while more := {n for n in needs if n not in done and needs[n] <= done}:
        done |= more
    try:
        refuse_circles(rules, FrameRange.parse("1-8"))
    except CircularDependency as error:
        circle = error.facts["circle"]
        assert circle[0] == circle[-1]
        assert all(b in needs[a] for a, b in pairwise(circle))
        assert done != set(range(1, 9))
    else:
        assert done == set(range(1, 9))


def test_a_circle_through_a_hundred_thousand_frames_is_found_without_recursion() -> None:
    rules = [
        Shape(FrameRange.parse("2-100000"), 0, FrameRange.parse("1-99999"), each=True),
        Shape(FrameRange.parse("1"), 0, FrameRange.parse("100000"), each=False),
    ]
    with pytest.raises(CircularDependency, match=r"1 waits for 100000 waits for 99999 waits for .*…"):
        refuse_circles(rules, FrameRange.parse("1-100000"))


def test_a_slave_gets_the_files_of_what_its_frame_waited_for_and_no_others(farm: Farm) -> None:
    anna = farm.user("anna")
    slave = farm.slave("ws01", anna)
    job = farm.job(anna, frames="1-3", depends=[Dependency(match="previous")])
    for frame, name in ((1, "a.png"), (3, "c.png")):
        attempt = farm.attempt(job, frame, slave)
        data = tar_of(**{f"output_{name.replace('.', '_')}": name.encode(), "thumbnail": b"small"})
        unpacked = keep(farm.store, opened(data, sha(data), 10**6))
        farm.database.write_now(partial(record, slave=slave, attempt=attempt, unpacked=unpacked, at=NOW))
        farm.accept(attempt)
    farm.attempt(job, 2, slave)
    read = farm.database.read_now
    assert read(partial(sheet, slave=slave, job=job, server="home", scripts=True)).depends == "2-3"
    found = read(partial(required, slave=slave, job=job, number=2, server="home"))
    assert found.frames == [f"depends/home/{job}/1"]
    assert [(file.path, file.sha256, file.size) for file in found.files] == [
        (f"depends/home/{job}/1/a.png", sha(b"a.png"), 5)
    ]
    assert read(partial(readable, slave=slave, job=job, sha256=sha(b"a.png"))) == 5
    with pytest.raises(FileNotHere):
        read(partial(readable, slave=slave, job=job, sha256=sha(b"c.png")))
    with pytest.raises(JobNotFound):
        read(partial(required, slave=slave, job=job, number=3, server="home"))


def test_files_of_another_job_lie_over_the_jobs_own_and_may_be_its_source(farm: Farm) -> None:
    anna = farm.user("anna")
    slave = farm.slave("ws01", anna)
    bake = farm.job(anna, frames="9")
    attempt = farm.attempt(bake, 9, slave)
    data = tar_of(output_shot_blend=b"baked", output_cache_bphys=b"fell", thumbnail=b"small")
    unpacked = keep(farm.store, opened(data, sha(data), 10**6))
    farm.database.write_now(partial(record, slave=slave, attempt=attempt, unpacked=unpacked, at=NOW))
    farm.accept(attempt)
    depends, wood = [Dependency(on=str(bake), overlay=True)], {"wood.png": b"wood"}
    jobs = [
        farm.job(anna, sent, frames="1-2", source="shot.blend", depends=depends)
        for sent in ({"shot.blend": b"sent", **wood}, wood)
    ]
    read = farm.database.read_now
    for job in jobs:
        farm.attempt(job, 1, slave)
        told = read(partial(sheet, slave=slave, job=job, server="home", scripts=True))
        assert {file.path: file.sha256 for file in told.files} == {
            "shot.blend": sha(b"baked"),
            "cache.bphys": sha(b"fell"),
            "wood.png": sha(b"wood"),
        }
        assert told.depends == "", "it needs no folders"
        assert read(partial(readable, slave=slave, job=job, sha256=sha(b"fell"))) == 4
        assert read(partial(required, slave=slave, job=job, number=1, server="home")).files == []


def test_people_see_what_a_frame_waits_for(farm: Farm) -> None:
    anna = farm.user("anna")
    farm.there = {("other", 12): FrameRange.parse("1-9")}
    layer = farm.job(anna, frames="1-3")
    depends = [Dependency(on=str(layer), match="same"), Dependency(frames="3", on="distren://other/12/3")]
    job = farm.job(anna, frames="1-3", depends=depends)
    views = [
        farm.database.read_now(partial(frame_view, asker=anna, job=job, number=n, server="home", at=NOW))
        for n in (1, 3)
    ]
    assert [view.waiting for view in views] == [
        f"waits for distren://home/{layer}/1",
        f"waits for distren://home/{layer}/3 and distren://other/12/3",
    ]
    view = farm.database.read_now(partial(job_view, asker=anna, job=job, server="home", at=NOW))
    assert view.waiting == [f"Its frames wait for distren://home/{layer}, distren://other/12."]
    assert view.depends == depends


def test_a_hundred_thousand_frames_in_a_chain_are_one_rule(farm: Farm) -> None:
    anna = farm.user("anna")
    job = farm.job(anna, frames="1-100000", depends=[Dependency(match="previous")])
    assert shapes(farm, job) == [("2-100000", job, "1-99999", True)]
    assert states(farm, job) == {"ready": 1, "blocked": 99_999}
