"""What is fuzzed: each takes bytes, and may raise nothing but errors of ours, which people are told in words."""

from __future__ import annotations

import asyncio
import io
import json
import re
import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from farm.api.blobs import byterange
from farm.api.dashboard import cookie
from farm.api.forms import multipart
from farm.methods import jobfile
from farm.methods.blender import header as blend
from farm.methods.blender.inside import narration
from farm.methods.parameterfile import read_parameters
from farm.methods.povray.inside.progress import Talk
from farm.methods.povray.shot import shot
from farm.methods.registry import METHODS
from farm.package import archive, canonical, paths, results
from farm.pictures.boxes import Box, CannotJoinError
from farm.pictures.decode import look
from farm.pictures.exrfile import ExrFile
from farm.pictures.join import join
from farm.protocol import examples, slaves
from farm.protocol.discovery import Announced
from farm.protocol.jobs import Submission
from farm.protocol.notifications import MakeNotification
from farm.protocol.signed import Letter, signature_of
from farm.slave.wire import Splitter, number
from farm.words import settingsfile
from farm.words.errors import DistrenError
from farm.words.hours import Hours
from farm.words.joincode import JoinCode, PeerCode
from farm.words.names import Address, server_name
from farm.words.ranges import FrameRange
from farm.words.settings import ServerSettings, SlaveSettings, load

OURS = (DistrenError, ValidationError, CannotJoinError)
"""What may be raised: errors of ours, and pydantic's, of which the API makes one of ours."""

_FOLDER = tempfile.TemporaryDirectory(prefix="distren-fuzz-")
_PLACE = Path(_FOLDER.name)


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Args:
        parse: takes what somebody sent.
        seeds: what it is for.
    """

    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        """Parse; only what is none of our errors comes out."""
        with suppress(*OURS):
            self.parse(data)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _words(data: bytes) -> None:
    """The short texts that people type."""
    for read in (
        FrameRange.parse,
        Address.parse,
        server_name,
        Hours.parse,
        JoinCode.parse,
        PeerCode.parse,
        paths.checked,
    ):
        with suppress(DistrenError):
            str(read(_text(data)))  # type: ignore[operator]


def _description(data: bytes) -> None:
    jobfile.description(jobfile.submission(data, [], lambda path, most: b""))


def _parameters(data: bytes) -> None:
    for name in ("sets.json", "sets.toml"):
        with suppress(*OURS):
            read_parameters(data, name, METHODS["blender"].describe())


def _package(data: bytes) -> None:
    for member in archive.entries(io.BytesIO(data), 10_000_000):
        member.data.read(100_000)


def _result(data: bytes) -> None:
    for member in results.members(io.BytesIO(data), 10_000_000):
        member.data.read(100_000)


def _message(kind: type[BaseModel]) -> Callable[[bytes], object]:
    return kind.model_validate_json


def _settings(data: bytes) -> None:
    (file := _PLACE / "settings.toml").write_bytes(data)
    for read in (settingsfile.read, lambda path: load(ServerSettings, path), lambda path: load(SlaveSettings, path)):
        with suppress(DistrenError):
            read(file)


def _picture(name: str) -> Callable[[bytes], object]:
    def parse(data: bytes) -> None:
        (file := _PLACE / name).write_bytes(data)
        look(file)

    return parse


def _exr_blocks(data: bytes) -> None:
    (file := _PLACE / "a.exr").write_bytes(data)
    opened = ExrFile(file)
    with opened.stream:
        opened.header()
        if any(opened.offsets):
            opened.block(0, 0, 1000)


def _tiles(suffix: str) -> Callable[[bytes], object]:
    def parse(data: bytes) -> None:
        (file := _PLACE / f"tile{suffix}").write_bytes(data)
        join([file], lambda width, height: [Box(0, 0, width, height)], _PLACE / f"whole{suffix}")

    return parse


def _blend(data: bytes) -> None:
    (file := _PLACE / "a.blend").write_bytes(data)
    for read in (blend.read_header, blend.check_whole):
        with suppress(DistrenError):
            read(file)


def _headers(data: bytes) -> None:
    """Headers of a request: one a line."""
    lines = [line.partition(b":") for line in data.split(b"\n")]
    pairs = [(name.strip().lower(), value.strip()) for name, _, value in lines]
    cookie.token({"type": "http", "method": "GET", "path": "/jobs", "headers": pairs})
    cookie.token({"type": "http", "method": "POST", "path": "/jobs", "headers": pairs})
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    with suppress(DistrenError):
        byterange.parse(headers.get("range"), 1000)
    signature_of(headers)
    Letter.read("GET", "/api/jobs", headers).text()


def _announced(data: bytes) -> None:
    pairs = [part.partition(b"=") for part in data.split(b"\n")]
    Announced.read({name: value if mark else None for name, mark, value in pairs}, "192.0.2.1", 80)


def _form(data: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 64):
            yield data[start : start + 64]

    async def whole() -> None:
        async for _ in multipart.events(pieces(), "multipart/form-data; boundary=b"):
            pass

    asyncio.run(whole())


def _child(data: bytes) -> None:
    """What a renderer says on its line to the slave."""
    splitter = Splitter()
    for said in (*splitter.feed(data[: len(data) // 2]), *splitter.feed(data[len(data) // 2 :]), *splitter.end()):
        if isinstance(said, dict):
            for name in said:
                number(said, name)


def _povray_says(data: bytes) -> None:
    talk = Talk()
    talk.feed(data)
    talk.end()
    talk.reason()


def _povray_ini(data: bytes) -> None:
    text = data.decode("latin-1")
    made = shot("scene.ini", {}, lambda path: text if path in ("scene.ini", "scene.pov") else None)
    list(made.lines(1))


def _blender_says(data: bytes) -> None:
    narrator = narration.Narrator(lambda event, **facts: json.dumps(facts))
    narrator.begin()
    for line in data.decode("utf-8", "replace").splitlines():
        narrator.hear(line)


def _canonical(data: bytes) -> None:
    canonical.header(paths.checked(_text(data)), len(data))


def _tar(*members: tuple[str, bytes]) -> bytes:
    made = b""
    for name, data in members:
        made += canonical.header(name, len(data)) + data + canonical.padding(len(data))
    return made + canonical.ending(len(made))


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(14))) + chunk(b"IEND", b"")


def _exr() -> bytes:
    def attribute(name: bytes, kind: bytes, data: bytes) -> bytes:
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(data)) + data

    channels = b"".join(name + b"\0" + struct.pack("<IIII", 1, 0, 1, 1) for name in (b"B", b"G", b"R")) + b"\0"
    box = struct.pack("<4i", 0, 0, 3, 3)
    head = struct.pack("<II", 20000630, 2) + attribute(b"channels", b"chlist", channels)
    head += attribute(b"compression", b"compression", b"\0") + attribute(b"dataWindow", b"box2i", box)
    head += attribute(b"displayWindow", b"box2i", box) + attribute(b"lineOrder", b"lineOrder", b"\0")
    head += attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)) + b"\0"
    size = 4 * 3 * 2
    offsets = struct.pack("<4Q", *(len(head) + 32 + row * (8 + size) for row in range(4)))
    return head + offsets + b"".join(struct.pack("<iI", row, size) + bytes(size) for row in range(4))


def _blender() -> bytes:
    block = struct.pack("<4siQii", b"REND", 32, 1, 0, 1) + struct.pack("<ii24s", 1, 250, b"Scene")
    return b"BLENDER-v304" + block + struct.pack("<4siQii", b"ENDB", 0, 0, 0, 0)


def _json(*names: str) -> tuple[bytes, ...]:
    return tuple(json.dumps(examples.EXAMPLES[name]).encode() for name in names)


_XML = b"""<distrenjob version="1.0"><name>Wood</name><source>a.pov</source><frames>1-5</frames><frame>7</frame>
<order>in_order</order><slaves max="3"><not>ws02</not></slaves><limits render_seconds="7200"/><sleep/>
<sets><set name="a"/></sets></distrenjob>"""

_SAYS = (
    b"Rendered 12 of 76800 pixels (1%)\rFile 'a.pov' line 3: Parse Error: Expected 'x'.\nFatal error in parser: no.\n"
)
_LETTER = b"""distren-peering: 1
distren-from: alpha
distren-to: beta
distren-user: maya
distren-time: 1
distren-nonce: 00112233445566778899aabbccddeeff
distren-body: -"""
_CYCLES = b"Fra:1 Mem:17.82M (Peak 17.82M) | Time:00:00.17 | Remaining:00:25.90 | Mem:10M | Sample 1/200\n"

TARGETS: dict[str, Target] = {
    "words": Target(_words, (b"1-250x2,300", b"distren://home/12/3", b"mon-fri 20:00-08:00", b"a/b.png", b"home")),
    "distrenjob.xml": Target(_description, (_XML,)),
    "parameter files": Target(_parameters, (b'{"sets": {"a": {"samples": 4}}}', b"[sets.a]\nsamples = 4\n")),
    "packages": Target(_package, (_tar(("a.blend", b"x"), ("b/c", b"yy")), zlib.compress(b"x", wbits=31))),
    "results": Target(_result, (_tar(("output/0001.png", b"x"), ("log", b"yy")),)),
    "canonical tars": Target(_canonical, (b"a/b.png", "ä/ö".encode())),
    "reports": Target(_message(slaves.Report), _json("Report")),
    "slaves' logins": Target(_message(slaves.SlaveLogin), _json("SlaveLogin")),
    "submissions": Target(_message(Submission), _json("Submission")),
    "notifications": Target(_message(MakeNotification), _json("MakeNotification")),
    "settings files": Target(_settings, (b'name = "home"\nport = 8080\n', b'server = "http://x"\nslots = 2\n')),
    "PNG": Target(_picture("a.png"), (_png(),)),
    "EXR": Target(_picture("a.exr"), (_exr(),)),
    "other pictures": Target(_picture("a.tif"), (b"II*\0\x08\0\0\0", b"BM")),
    "blocks of EXR": Target(_exr_blocks, (_exr(),)),
    "tiles of PNG": Target(_tiles(".png"), (_png(),)),
    "tiles of EXR": Target(_tiles(".exr"), (_exr(),)),
    ".blend": Target(_blend, (_blender(), zlib.compress(_blender(), wbits=31))),
    "headers": Target(
        _headers, (b"cookie: distren=abc; a=b\nrange: bytes=1-2\norigin: http://x", b"distren-peering: 1")
    ),
    "mDNS": Target(_announced, (b"name=home\nurl=http://home:8080\nversion=0.1.0",)),
    "forms": Target(
        _form, (b'--b\r\nContent-Disposition: form-data; name="scene"; filename="a.pov"\r\n\r\nx\r\n--b--\r\n',)
    ),
    "renderers' events": Target(_child, (b'\x1edistren {"event": "progress", "fraction": 0.5}\n', b"Saved: x\n")),
    "what POV-Ray says": Target(_povray_says, (_SAYS,)),
    "POV-Ray's options": Target(_povray_ini, (b"+W320 +H240\n+KFI1 +KFF10\n[a]\nInput_File_Name=scene.pov\n",)),
    "what Blender says": Target(_blender_says, (_CYCLES,)),
}
"""All parsers of what strangers, renderers or networks say."""


def folder(name: str) -> str:
    """Return a target's name as that of a folder."""
    return re.sub(r"\W+", "-", name).strip("-").lower()
