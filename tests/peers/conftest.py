"""Real servers, in threads, that know each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from farm.client.farmclient import FarmClient
from farm.client.peercalls import PeerCalls
from farm.protocol.jobs import JobView, Requirement, Submission
from farm.protocol.lending import Borrow, Lend
from farm.protocol.peers import AcceptPeer, MakePeerInvite
from tests.serving import Served, SlaveCaller, serving


@dataclass
class Home:
    """A server, and its admin."""

    name: str
    served: Served
    admin: FarmClient
    token: str

    @property
    def peers(self) -> PeerCalls:
        return PeerCalls(self.admin)

    def sql(self, statement: str) -> Any:
        """Do what no server does to its database, and return the first value that comes of it."""
        engine = create_engine(self.served.process.settings.database_url, connect_args={"timeout": 60})
        try:
            with engine.begin() as conn:
                found = conn.execute(text(statement))
                return found.scalar() if found.returns_rows else None
        finally:
            engine.dispose()

    def at(self, peer: str) -> FarmClient:
        """A client for a peer, through this server."""
        self.served._open.append(client := FarmClient(f"{self.served.url}/api/peers/{peer}/via", self.token))
        return client


def befriend(one: Home, other: Home, *, sees_all: bool = False) -> None:
    """Let two admins agree: the users of `one` see all at `other`, or their own."""
    made = other.peers.invite(MakePeerInvite(name=one.name, sees_all=sees_all))
    one.peers.accept(AcceptPeer.model_validate({"code": made.code}))


@contextmanager
def home(folder: Path, name: str, **settings: Any) -> Iterator[Home]:
    """Run a server that may have peers on this machine."""
    folder.mkdir(exist_ok=True)
    with serving(folder, name=name, peer_private=True, **settings) as served:
        admin = served.admin(f"{name}-admin")
        yield Home(name, served, admin, str(admin._http.headers["Authorization"]).removeprefix("Bearer "))


def sleep_job(client: FarmClient, frames: str = "1-3", **more: Any) -> JobView:
    wish = Submission(
        name="sleep", requires=Requirement(method="sleep"), frames=frames, settings={"seconds": 0}, **more
    )
    return client.queue(client.submit(wish).job)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    """`alpha` and `beta`, who are peers."""
    with ExitStack() as stack:
        alpha, beta = (stack.enter_context(home(tmp_path_factory.mktemp(name), name)) for name in ("alpha", "beta"))
        befriend(alpha, beta)
        yield alpha, beta


@pytest.fixture(scope="module")
def lending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    """`near`, which borrows, and `annex`, which lends."""
    with ExitStack() as stack:
        near, annex = (stack.enter_context(home(tmp_path_factory.mktemp(name), name)) for name in ("near", "annex"))
        befriend(near, annex)
        near.served.invited(near.admin, "nobody")
        yield near, annex


@pytest.fixture
def agreed(lending: tuple[Home, Home]) -> Iterator[tuple[Home, Home]]:
    """The same, on no terms but that they do; nothing is left to render."""
    near, annex = lending
    near.peers.borrow("annex", Borrow())
    annex.peers.lend("near", Lend())
    yield near, annex
    for each in lending:
        for job in each.admin.jobs().jobs:
            if job.state not in ("done", "failed", "canceled"):
                each.admin.command(job.job, "cancel")


@pytest.fixture
def slave(lending: tuple[Home, Home], request: pytest.FixtureRequest) -> Iterator[SlaveCaller]:
    """A slave of annex."""
    annex = lending[1]
    caller = annex.served.slave(annex.admin, f"s{abs(hash(request.node.name)) % 10**6}", slots=2)
    yield caller
    caller.http.post("/api/slave/logout")
