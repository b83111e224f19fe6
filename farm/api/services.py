"""What the endpoints work with: one object per server process, no globals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from farm.accounts.authenticator import Authenticator
from farm.accounts.passphrases import Passphrases
from farm.accounts.throttle import Throttle
from farm.api.metrics import Metrics
from farm.api.slave.admission import Admission
from farm.api.slave.issued import Issued
from farm.api.slave.polls import Polls
from farm.api.slave.watching import Watching
from farm.database.handle import Database
from farm.database.reader import EventReader
from farm.files.store import BlobStore
from farm.files.view import JobFolders
from farm.jobs.homecoming import Homecoming
from farm.peers.elsewhere import Elsewhere
from farm.peers.lender import Lender
from farm.peers.peering import Peering
from farm.pictures.checker import Checker
from farm.scheduler.policy import Policy
from farm.words.clock import SECOND
from farm.words.settings import ServerSettings


@dataclass
class Services:
    """The parts of a running server.

    Args:
        name: the server's constant name.
        folders: the admin's view of jobs.
        peering: this server among others.
        lender: its slaves that render for others.
        elsewhere: jobs at other servers.
        url: how others reach the server; known once it listens.
        stopping: set when the server stops; streams and long polls end then.
    """

    name: str
    settings: ServerSettings
    policy: Policy
    database: Database
    store: BlobStore
    folders: JobFolders
    reader: EventReader
    authenticator: Authenticator
    peering: Peering
    passphrases: Passphrases = field(default_factory=Passphrases)
    throttle: Throttle = field(default_factory=Throttle)
    polls: Polls = field(default_factory=Polls)
    issued: Issued = field(default_factory=Issued)
    watching: Watching = field(default_factory=Watching)
    metrics: Metrics = field(default_factory=Metrics)
    homecoming: Homecoming = field(default_factory=Homecoming)
    viewer: Checker = field(default_factory=Checker)
    admission: Admission = field(init=False)
    lender: Lender = field(init=False)
    elsewhere: Elsewhere = field(init=False)
    url: str = ""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.admission = Admission(2 * self.policy.heartbeat_seconds)
        self.lender = Lender(self.peering, lambda: self.policy.lost_us / SECOND)
        self.elsewhere = Elsewhere(self.peering)
