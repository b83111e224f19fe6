from __future__ import annotations

import pytest

from tests.slave.cage import Place


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def place(tmp_path):
    made = Place(tmp_path)
    yield made
    for session in made.sessions:
        await session.kill()
    made.lock.release()
