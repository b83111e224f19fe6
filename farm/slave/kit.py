"""What all slots share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from farm.methods.base import Offered
from farm.pictures.checker import Checker
from farm.sandbox.records import Records
from farm.slave.containment import Containment
from farm.slave.desk import Desk
from farm.slave.events import Events
from farm.slave.finishing import Rendered
from farm.slave.folders import Folders
from farm.slave.held import Held
from farm.slave.jobs import Jobs
from farm.slave.lending import Lending
from farm.slave.pace import Pace
from farm.words.settings import SlaveSettings


class Desks(Protocol):
    """Who takes what slots bring."""

    def rendered(self, rendered: Rendered) -> None:
        """Take a frame that left the renderer."""
        ...

    def failed(self, frame: Held, error: BaseException) -> None:
        """Take a frame that failed."""
        ...

    def card_gone(self, card: str, reason: str) -> None:
        """Hear that a slot's graphics card does not work any more."""
        ...


@dataclass(frozen=True, slots=True)
class Kit:
    """The slave's things."""

    settings: SlaveSettings
    folders: Folders
    records: Records
    desk: Desk
    jobs: Jobs
    checker: Checker
    offered: list[Offered]
    events: Events
    pace: Pace
    takes: Desks
    lending: Lending
    containment: Containment
