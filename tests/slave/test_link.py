"""A slave's client and a server that is known by its name only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from farm.client.slavelink import SlaveLink
from farm.words.errors import Unauthenticated, Unreachable
from tests.ports import free_port
from tests.serving import serving

pytestmark = pytest.mark.anyio
Call = Callable[[SlaveLink, Path], Awaitable[object]]

CALLS: dict[str, Call] = {
    "a download": lambda link, file: link.fetch_blob("0" * 64, 1, file.with_name("blob")),
    "an upload": lambda link, file: link.put_result(1, file, "0" * 64, 5),
    "a version": lambda link, file: link.fetch_release("0" * 64, file.with_name("wheel")),
    "a question": lambda link, _file: link.sheet(1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_whatever_does_not_get_through_looks_for_the_server_anew(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file := tmp_path / "result.tar").write_bytes(b"bytes")
    with serving(tmp_path / "server") as served:
        found = iter([f"http://127.0.0.1:{free_port()}", served.url])
        monkeypatch.setattr("farm.client.slavelink.located", lambda _name: next(found))
        link = SlaveLink("distren://home")
        try:
            with pytest.raises(Unreachable):
                await call(link, file)
            with pytest.raises(Unauthenticated):
                await call(link, file)
        finally:
            await link.close()
