"""How a slave gets the server's version: what is ordered, and what the slave says of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from farm.protocol.base import Answer, Label, Request, Sha256

UpgradeStage = Literal["ordered", "fetching", "draining", "trying", "starting", "failed", "current"]
"""Where a slave is.

`ordered`: it has not heard of it, or rests; `fetching` the new version, while it renders; `draining`: it finishes
what renders; `trying`: the new version renders a test frame; `starting`: it logs in with it. `current`: there is
nothing to do.
"""


class Upgrade(Answer):
    """The version that a slave is to run from now on: the server's. `GET /api/slave/releases/{sha256}` gives it."""

    version: str
    build: str
    sha256: Sha256
    size: int


class UpgradeWord(Request):
    """How far a slave is with the build that was ordered; `failed` with the reason in `message` ends it."""

    build: Label
    stage: Literal["fetching", "draining", "trying", "starting", "failed"]
    message: Annotated[str, Field(max_length=1000)] = ""


class UpgradeView(Answer):
    """How far a slave is, as people see it; `message`: why the last upgrade failed."""

    version: str = ""
    stage: UpgradeStage
    message: str = ""
