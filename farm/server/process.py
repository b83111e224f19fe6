"""The server process: start, say that it is ready, run, stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
import uvicorn
from fastapi import FastAPI

from farm.accounts.authenticator import Authenticator
from farm.api.app import create_app
from farm.api.services import Services
from farm.api.slave.renewal import Renewal
from farm.database.handle import Database
from farm.database.reader import EventReader
from farm.files.choice import store_of
from farm.files.delivery import Deliveries
from farm.files.view import JobFolders
from farm.jobs.shelf import Shelf
from farm.peers.keys import FILE, KeyRing
from farm.peers.peering import Peering
from farm.scheduler import agreed
from farm.server import periodic, safety, setup
from farm.server.addresses import ANYWHERE, own_address
from farm.server.announce import announced
from farm.server.apart import migrate_apart
from farm.server.caretaker import Caretaker
from farm.server.heartbeat import Heartbeat
from farm.server.joined import JoinedHttp
from farm.server.lock import FolderLock
from farm.server.patience import DEAF_SECONDS, close_stalled
from farm.server.policy import policy_of
from farm.words import clock, limits
from farm.words.errors import NotASetup, Unavailable
from farm.words.settings import ServerSettings

log = structlog.get_logger(__name__)

GRACE = 20
"""Seconds that requests get to end when the server stops."""

GARBAGE = (20_000, 50)
"""New objects after which the collector looks for circles among them, and how many such looks are one at what survives.

A request makes hundreds, and hardly a circle; and thousands of slaves' calls, which hang, survive each look.
"""


@dataclass(frozen=True, slots=True)
class ServerReady:
    """What whoever started a server wants to know. `setup_code` None: there is an admin already."""

    url: str
    name: str
    setup_code: str | None


OnReady = Callable[[ServerReady], None]


class ServerProcess:
    """One server.

    Args:
        settings: how it runs.
        on_ready: is told once the server answers; it may print, the server itself does not.
        apart: migrations run in a process of their own, for a server that will live long.
    """

    def __init__(
        self, settings: ServerSettings, on_ready: OnReady = lambda _ready: None, *, apart: bool = False
    ) -> None:
        self.settings = settings
        self._apart = apart
        self._on_ready = on_ready
        self._server: _Server | None = None

    def run(self) -> None:
        """Run until a signal, or until :meth:`stop` from another thread.

        Raises:
            NotASetup: the settings are unsafe, the folder or the port is taken.
        """
        safety.check(self.settings)
        with ExitStack() as stack:
            stack.enter_context(FolderLock(self.settings.data))
            if self._apart:
                migrate_apart(self.settings.database_url)
            database = Database.open(self.settings.database_url)
            stack.callback(database.close)
            founded = setup.found(database, self.settings.name, clock.now())
            services = services_of(self.settings, database, founded.name)
            stack.callback(services.passphrases.close)
            database.write_now(partial(agreed.limit, policy=services.policy))
            setup.numbers_above(database, max(services.folders.jobs(), default=0))
            listening = stack.enter_context(_listen(self.settings.host, self.settings.port))
            services.url = url_of(self.settings, listening)
            ready = ServerReady(services.url, founded.name, founded.setup_code)
            self._serve(services, listening, ready)
        log.info("The server has stopped.", name=founded.name)

    def stop(self) -> None:
        """Make :meth:`run` return, soon; for other threads."""
        if self._server is not None:
            self._server.should_exit = True

    def _serve(self, services: Services, listening: socket.socket, ready: ServerReady) -> None:
        app = create_app(services)
        app.router.lifespan_context = lambda _app: _lifespan(services, listening.getsockname()[1])
        self._server = _Server(_config(self.settings, app), services, lambda: self._on_ready(ready))
        log.info("The server starts.", name=ready.name, url=ready.url, database=services.database.dialect)
        # What was made until now stays; the collector need not look at it again and again.
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()
        self._server.run(sockets=[listening])
        if not self._server.started:
            raise NotASetup("The server could not start.", hint="Its log says why.")


def run(settings: ServerSettings, on_ready: OnReady = lambda _ready: None) -> None:
    """Run a server until it gets SIGTERM or Ctrl-C; see :class:`ServerProcess`."""
    limits.settle()
    ServerProcess(settings, on_ready, apart=True).run()


def url_of(settings: ServerSettings, listening: socket.socket) -> str:
    """Return the URL under which others reach a server."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = own_address() if settings.host in ANYWHERE else settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls else 'http'}://{shown}:{listening.getsockname()[1]}"


class _Server(uvicorn.Server):
    """uvicorn, which ends what hangs before it waits for it, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, services: Services, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._tell = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._tell()

    async def on_tick(self, counter: int) -> bool:
        """Look, each second, for requests that don't go on arriving."""
        if counter % 10 == 0:
            close_stalled(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer long polls and end streams first: they would keep the server waiting."""
        log.info("The server stops.", hanging=len(self._services.polls))
        self._services.stopping.set()
        self._services.polls.stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and Ctrl-C, without raising them again: a clean stop is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        old = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


@asynccontextmanager
async def _lifespan(services: Services, port: int) -> AsyncIterator[None]:
    """Run the event reader and the periodic work, and be announced, while requests are answered."""
    await asyncio.to_thread(services.store.tidy, periodic.HOUR)
    await services.reader.start()
    shelves = [Shelf(services.database, services.store, view) for view in _views(services)]
    renewal = Renewal(services.database, services.polls)
    hearing = (services.polls.hear, services.watching.hear, renewal.hear, *(shelf.hear for shelf in shelves))
    deaf = [services.reader.listen(hear) for hear in hearing]
    caretaker = Caretaker(services.database)
    await caretaker.look()
    await Heartbeat(services)()  # before the first slave hears of it
    await services.lender.look()  # before the first slave speaks of a peer's frames
    tasks = [
        asyncio.create_task(periodic.run(chore, caretaker), name=chore.name)
        for chore in periodic.chores(services, caretaker)
    ]
    tasks += [asyncio.create_task(shelf.run(), name="shelf") for shelf in shelves]
    tasks += [asyncio.create_task(renewal.run(), name="renewal")]
    tasks += [asyncio.create_task(services.lender.run(services.polls.renew), name="lender")]
    try:
        async with announced(services.settings, services.name, services.url, port):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Unavailable):  # the others find out by themselves
            await caretaker.leave()
        for stop_listening in deaf:
            stop_listening()
        await services.viewer.close()
        await services.peering.close()
        await services.reader.stop()


def _views(services: Services) -> list[JobFolders | Deliveries]:
    deliver, bucket = services.settings.deliver, services.settings.bucket
    # What lies in a bucket can't be shown by links.
    return [*([] if bucket else [services.folders]), *([Deliveries(deliver)] if deliver else [])]


def services_of(settings: ServerSettings, database: Database, name: str) -> Services:
    """Return the parts of a server that is called so."""
    return Services(
        name=name,
        settings=settings,
        policy=policy_of(settings),
        database=database,
        store=store_of(settings),
        folders=JobFolders(settings.storage_folder / "stor"),
        reader=EventReader(database),
        authenticator=Authenticator(database),
        peering=Peering(
            name,
            KeyRing(settings.peering_key or settings.data / FILE),
            database,
            quota=int(settings.quota),
            private=settings.peer_private,
        ),
    )


def _config(settings: ServerSettings, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=settings.behind_proxy,
        forwarded_allow_ips=settings.proxies,
        ssl_certfile=settings.ssl_certificate,
        ssl_keyfile=settings.ssl_key,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
        server_header=False,
        ws="none",
        http=JoinedHttp,
        backlog=4096,
    )


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """Open the port, before anything is told to anybody."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # all that come by this door have it, too
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * DEAF_SECONDS))
        try:
            listening.bind((host, port))
        except OSError as error:
            mend = "Is another server running? Else choose another port (--port), or 0 for any."
            raise NotASetup(f"Can't listen on {host} port {port}: {error.strerror}.", hint=mend) from error
        listening.set_inheritable(False)
        yield listening
