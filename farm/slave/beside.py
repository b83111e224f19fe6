"""A module of ours in a process of its own, beside the slave: it can be stopped with all that it started."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from farm.sandbox.process import Child, Order
from farm.sandbox.records import Records


async def last_word(order: Order, records: Records) -> dict[str, Any] | None:
    """Run a process to its end; cancelled, it is killed with all that it started.

    Args:
        order: what to start.
        records: where it is noted, so that the next slave finds what a killed one left.

    Returns:
        Its last line, which is JSON; None if it had none.

    Raises:
        NotASetup: it can't be started.
    """
    child = await Child.start(order)
    records.add(child.identity)
    try:
        said = await child.stdout.read()
    finally:
        await child.kill()
        records.remove(child.identity)
    with contextlib.suppress(ValueError, IndexError):
        data = json.loads(said.strip().splitlines()[-1])
        return data if isinstance(data, dict) else None
    return None
