"""distrenjob.xml: read by name, line and column; written in one form."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.methods import jobfile
from farm.methods.jobfile import description
from farm.methods.registry import METHODS
from farm.package.jobxml import LARGEST
from farm.protocol.depends import Dependency
from farm.protocol.jobs import FileEntry, Limits, ParameterSet, Requirement, Submission
from farm.words.errors import BadPackage, DistrenError
from farm.words.ranges import FrameRange
from farm.words.states import FrameOrder
from tests.docs.jobschema import EXAMPLES, relax_ng

FILES = [FileEntry(path=path, sha256="0" * 64, size=1) for path in ("b.inc", "a.pov", "cache/0001.vdb")]

PARAMETERS = b"[sets.low]\nquality = 3\n"


def submission(data: bytes, files: list[FileEntry]) -> Submission:
    return jobfile.submission(data, files, lambda path, most: PARAMETERS[:most])


def job(inner: str, version: str = '<distrenjob version="1.0">') -> Submission:
    return submission(f"{version}\n{inner}\n</distrenjob>".encode(), FILES)


def refusal(inner: str, version: str = '<distrenjob version="1.0">') -> str:
    with pytest.raises(BadPackage) as refused:
        job(inner, version)
    return refused.value.message


def test_a_description_says_all_that_a_submission_does() -> None:
    made = job(
        """<name>Wood</name><project>autumn</project><comment>two
lines</comment><source>a.pov</source><frames>1-5</frames><frames>10-20x2</frames><frame>7</frame>
<priority>60</priority><order>in_order</order><approval>true</approval><paused>true</paused>
<slaves max="3"><only>ws01</only><not>ws02</not></slaves>
<limits render_seconds="7200" silence_seconds="60"/>
<requires version="3.7" newer="true"><addon>x=1</addon></requires>
<povray><width>640</width><antialiasing>on</antialiasing><clock>0.5</clock></povray>
<parameters>b.inc</parameters>
<sets><set name="wide"><width>1280</width></set><set frames="7"><declare>A=1</declare></set></sets>
<files><file path="cache/0001.vdb" frames="1"/></files>"""
    )
    assert made.frames == "1-5,7,10-20x2"
    assert (made.approval, made.paused) == (True, True)
    assert made.settings == {"width": 640, "antialiasing": True, "clock": 0.5}
    assert (made.slaves, made.not_slaves, made.max_slaves) == (["ws01"], ["ws02"], 3)
    assert made.limits == Limits(render_seconds=7200, silence_seconds=60)
    assert made.requires == Requirement(method="povray", version="3.7", newer=True, addons=["x=1"])
    assert [(file.path, file.frames) for file in made.files] == [
        ("a.pov", None),
        ("b.inc", None),
        ("cache/0001.vdb", "1"),
    ]
    assert made.sets == [
        ParameterSet(name="low", settings={"quality": 3}),
        ParameterSet(name="wide", settings={"width": 1280}),
        ParameterSet(frames="7", settings={"declare": "A=1"}),
    ]
    assert made.comment == "two\nlines"
    assert submission(description(made), FILES) == made


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("<nam>x</nam>", "line 2, column 1: <distrenjob> has no element <nam>."),
        ("<frames>1</frames>\n <sleep><hue>red</hue></sleep>", "line 3, column 9: <sleep> has no setting <hue>"),
        ("<frames>1</frames><povray><width>0</width></povray>", "line 2, column 27: width must be"),
        ("<frames>1</frames>", "line 1, column 1: no element says the render method."),
        ("<sleep/>", "there are no frames."),
        ("<sleep/><frames>1-3</frames><frame>2</frame>", "line 2, column 29: frame 2 is named twice."),
        ("<sleep/><frame>-1</frame>", "“-1” is no frame number."),
        ("<sleep/><frames>1-1000000000000000000</frames>", "goes beyond 1,048,574"),
        ("<sleep/><blender/><frames>1</frames>", "there are two render methods"),
        ("<sleep/><name>a</name><name>b</name>", "<name> is here again; it was in line 2 before."),
        ('<sleep speed="3"/>', "<sleep> has no attribute speed."),
        ("<sleep/><priority>high</priority><frames>1</frames>", "column 9: priority: must be a whole number"),
        ("<sleep/>words", "<distrenjob> holds elements, and no text such as “words”."),
        ('<sleep/><frames>1</frames><limits render_seconds="-1"/>', "render_seconds: must be more than 0."),
        ('<sleep/><frames>1</frames><files><file path="x" frames="1"/></files>', "the file “x” is not in the package."),
        ("<sleep/><frames>1", "this is no XML: mismatched tag."),
        ("<sleep><a><b><c><d/></c></b></a></sleep>", "<a> has no element <b>."),
        ('<sleep/><sets><set name="a"><hue>1</hue></set></sets>', "line 2, column 29: <sleep> has no setting <hue>"),
        ('<sleep/><sets><set name="a"/><set name="A"/></sets>', "column 30: set “A”: There are two of this name."),
        ('<sleep/><sets><set name="../a"/></sets>', "column 15: name: use letters and digits"),
        ("<sleep/><sets><set>x</set></sets>", "<set> holds elements, and no text such as “x”."),
        ("<sleep/><parameters>gone.toml</parameters>", "the parameter file “gone.toml” is not in the package."),
        ("<sleep/><parameters>b.inc</parameters>", "b.inc: set “low”: The method sleep has no setting “quality”."),
        ("<fractal/><frames>1</frames>", "<distrenjob> has no element <fractal>."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_line_and_column(inner: str, words: str) -> None:
    assert words in refusal(inner)


def test_other_versions_and_other_files_are_refused() -> None:
    assert "this is version 2.0 of the format." in refusal("<sleep/>", '<distrenjob version="2.0">')
    assert "this is no version of the format." in refusal("<sleep/>", "<distrenjob>")
    with pytest.raises(BadPackage, match="the outer element is <html>"):
        submission(b"<html/>", [])


BOMB = b"""<?xml version="1.0"?><!DOCTYPE distrenjob [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>
<distrenjob version="1.0"><name>&b;</name></distrenjob>"""
OUTSIDE = (
    b"""<!DOCTYPE distrenjob [<!ENTITY x SYSTEM "file:///etc/passwd">]><distrenjob version="1.0">&x;</distrenjob>"""
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BOMB, "has a DTD"),
        (OUTSIDE, "has a DTD"),
        (b"<distrenjob>" + b" " * LARGEST, "the limit is 1,000,000"),
        ('<?xml version="1.0" encoding="utf-8"?><distrenjob version="1.0"><name>ü</name>'.encode("latin-1"), "no XML"),
        (b'<?xml version="1.0" encoding="klingon"?><distrenjob/>', "can't be read: unknown encoding"),
        (b"", "no XML: no element found"),
        (b"\x00\x01\x02", "no XML"),
    ],
    ids=["bomb", "entity", "large", "wrong encoding", "unknown encoding", "empty", "binary"],
)
def test_hostile_descriptions_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(BadPackage, match=words):
        submission(data, [])


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=40).map(str.strip)


@given(
    name=TEXT.filter(bool),
    comment=TEXT,
    frames=st.sets(st.integers(0, 300), min_size=1),
    priority=st.integers(0, 100),
    order=st.sampled_from(FrameOrder),
    seconds=st.floats(0, 86400),
    overlay=st.booleans(),
)
def test_every_job_can_be_written_and_read_again(
    name: str, comment: str, frames: set[int], priority: int, order: FrameOrder, seconds: float, overlay: bool
) -> None:
    made = Submission(
        name=name,
        comment=comment,
        requires=Requirement(method="sleep"),
        settings={"seconds": seconds},
        frames=str(FrameRange.of(frames)),
        priority=priority,
        order=order,
        depends=[Dependency(on="12", needs="1-3", overlay=overlay)],
    )
    assert submission(description(made), []) == made
    assert description(submission(description(made), [])) == description(made)


WORDS = st.sampled_from(
    [
        "<distrenjob version='1.0'>",
        "</distrenjob>",
        "<sleep>",
        "</sleep>",
        "<frames>",
        "1-3",
        "<!DOCTYPE a>",
        "&a;",
        "<![CDATA[",
    ]
)


@given(st.lists(WORDS | st.text(max_size=4), max_size=25).map("".join) | st.binary(max_size=200))
def test_any_text_is_read_or_refused_by_name(text: str | bytes) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with contextlib.suppress(DistrenError):
        submission(data, [])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda path: path.stem)
def test_the_examples_are_good_and_fit_the_schema(path: Path, tmp_path: Path) -> None:
    paths = ["shot.blend", "textures/wood.png", "scenes/main.pov", "cache/smoke_0001.vdb"]
    submission(path.read_bytes(), [FileEntry(path=p, sha256="0" * 64, size=1) for p in paths])
    assert valid(path, tmp_path)


def test_every_method_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.xml")} == set(METHODS)


def test_what_is_written_fits_the_schema_and_what_is_unknown_does_not(tmp_path: Path) -> None:
    made = job("<sleep><seconds>2</seconds></sleep><frames>1</frames><slaves><only>ws01</only></slaves>")
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(description(made))
    bad.write_bytes(description(made).replace(b"seconds", b"speed"))
    assert valid(good, tmp_path)
    assert not valid(bad, tmp_path)


def valid(path: Path, folder: Path) -> bool:
    assert shutil.which("xmllint"), "apt-get install libxml2-utils"
    schema = folder / "distrenjob.rng"
    schema.write_text(relax_ng(), encoding="utf-8")
    argv = ["xmllint", "--noout", "--relaxng", str(schema), str(path)]
    said = subprocess.run(argv, capture_output=True, text=True)
    assert said.returncode in (0, 3), said.stderr
    return said.returncode == 0
