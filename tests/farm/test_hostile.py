"""What strangers send to a real server: refused with a reason, and neither its memory nor its disk moves."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
from pathlib import Path

import httpx
import psutil
from backports import zstd

from tests.farm.farm import Farm

GIGABYTE = 10**9
XML = b'<distrenjob version="1.0"><sleep/><frames>1</frames></distrenjob>'


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, "/etc/passwd"
    return info.tobuf()


def repeated(piece: bytes, times: int) -> bytes:
    """Return a compressed file that holds a piece many times over, without ever holding it so."""
    return zstd.compress(piece, 1) * times


def described(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


TARBALLS = {
    "ten gigabytes of zeros": (
        zstd.compress(header("zeros", 8 * GIGABYTE)) + repeated(bytes(50_000_000), 160),
        "grows to more than 200 times its size",
    ),
    "a million empty members": (repeated(header("x") * 1000, 1000), "more than 100,000 members"),
    "a hundred megabytes of XML": (
        zstd.compress(header("distrenjob.xml", 100_000_000)) + repeated(b" " * 10_000_000, 10),
        "grows to more than 200 times its size",
    ),
    "a bomb of entities": (
        described(("distrenjob.xml", b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XML)),
        "has a DTD, which is not read",
    ),
    "a link": (header("x", 0, tarfile.SYMTYPE) + bytes(1024), "no plain file"),
    "a hard link": (header("x", 0, tarfile.LNKTYPE) + bytes(1024), "no plain file"),
    "a device": (header("x", 0, tarfile.CHRTYPE) + bytes(1024), "no plain file"),
    "an absolute path": (described(("/etc/x", b"")), "“/etc/x” is absolute"),
    "a path upwards": (described(("../x", b"")), "'..'"),
    "a name twice": (described(("x", b"1"), ("x", b"2")), "can't both be in one job"),
    "names of other case": (described(("x", b"1"), ("X", b"2")), "can't both be in one job"),
    "a broken end": (described(("distrenjob.xml", XML))[:700], "unexpected end of data"),
    "a broken compression": (gzip.compress(described(("distrenjob.xml", XML)))[:-30], "no readable tarball"),
    "another compression": (bz2.compress(described(("distrenjob.xml", XML))), "compressed by bzip2"),
    "no tar": (b"#version 3.7;\n" * 100, "no readable tarball"),
    "an entity from outside": (
        described(("distrenjob.xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + XML)),
        "has a DTD, which is not read",
    ),
    "a wrong encoding": (described(("distrenjob.xml", XML.replace(b">1<", b">\xfc<"))), "no XML"),
    "an unknown method": (described(("distrenjob.xml", XML.replace(b"sleep", b"fractal"))), "has no element <fractal>"),
    "frame -1": (described(("distrenjob.xml", XML.replace(b"<frames>1</frames>", b"<frame>-1</frame>"))), "“-1” is no"),
    "a frame twice": (
        described(("distrenjob.xml", XML.replace(b"</frames>", b"</frames><frame>1</frame>"))),
        "frame 1 is named twice",
    ),
    "a video of nothing": (
        described(("distrenjob.xml", XML.replace(b"<sleep/>", b"<video/>"))),
        "waits for none",
    ),
    "frame 10^18": (
        described(("distrenjob.xml", XML.replace(b">1<", b">1000000000000000000<"))),
        "goes beyond 1,048,574",
    ),
    "a set with an unknown key": (
        described(
            ("distrenjob.xml", XML.replace(b"<sleep/>", b"<sleep/><parameters>s.toml</parameters>")),
            ("s.toml", b"[sets.slow]\nsecond = 3\n"),
        ),
        "s.toml: set “slow”: The method sleep has no setting “second”",
    ),
}


def disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def test_hostile_packages_are_refused_by_name_and_cost_the_server_nothing(lite_farm: Farm) -> None:
    process = psutil.Process(lite_farm.server.popen.pid)
    token = {"Authorization": f"Bearer {lite_farm.token}"}

    def send(data: bytes) -> httpx.Response:
        return httpx.post(f"{lite_farm.url}/api/jobs/package", content=data, headers=token, timeout=120)

    send(described(("distrenjob.xml", b"<")))  # what is loaded at the first one is not what we look for
    memory, space = process.memory_info().rss, disk(lite_farm.folder / "server")
    for name, (data, words) in TARBALLS.items():
        answer = send(data)
        assert 400 <= answer.status_code < 500, name
        assert words in answer.json()["detail"], name
    assert process.memory_info().rss - memory < 64 * 1024 * 1024
    sent = sum(len(data) for data, _ in TARBALLS.values())
    assert disk(lite_farm.folder / "server") - space < sent + 8 * 1024 * 1024
    assert not list((lite_farm.folder / "server").rglob("incoming/*"))
    assert not lite_farm.client.jobs().jobs
