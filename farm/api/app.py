"""The web application, put together from its resources."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from farm import __version__
from farm.api import problem
from farm.api.accounts import endpoints as accounts
from farm.api.addon import endpoints as addon
from farm.api.addresses import endpoints as addresses
from farm.api.authenticate import Authenticate
from farm.api.blobs import endpoints as blobs
from farm.api.boosts import endpoints as boosts
from farm.api.bundles import endpoints as bundles
from farm.api.dashboard.app import ROOMS, dashboard
from farm.api.doubts import endpoints as doubts
from farm.api.errands import endpoints as errands
from farm.api.events import endpoints as events
from farm.api.forms import endpoints as forms
from farm.api.friends import endpoints as friends
from farm.api.install import endpoints as install
from farm.api.jobs import endpoints as jobs
from farm.api.limits import Limits
from farm.api.methods import endpoints as methods
from farm.api.notifications import endpoints as notifications
from farm.api.observe import Observe
from farm.api.openapi import TAGS, describe
from farm.api.output import endpoints as output
from farm.api.output import tail
from farm.api.peers import between, via, wellknown
from farm.api.peers import endpoints as peers
from farm.api.points import endpoints as points
from farm.api.pools import endpoints as pools
from farm.api.progress import endpoints as progress
from farm.api.ratings import endpoints as ratings
from farm.api.server import endpoints as server
from farm.api.services import Services
from farm.api.shares import endpoints as shares
from farm.api.slave import endpoints as slave
from farm.api.slave.lent import Lent
from farm.api.slave.next import PATH, NextCall
from farm.api.slavefiles import endpoints as slavefiles
from farm.api.slaves import endpoints as slaves
from farm.api.terms import endpoints as terms
from farm.api.underpath import below, path_of
from farm.api.upgrades import endpoints as upgrades
from farm.api.users import endpoints as users
from farm.api.why import endpoints as why
from farm.words.errors import NotASetup

_ROUTERS = (
    server,
    wellknown,
    accounts,
    users,
    friends,
    methods,
    forms,
    jobs,
    boosts,
    why,
    points,
    pools,
    shares,
    addresses,
    progress,
    bundles,
    blobs,
    notifications,
    output,
    tail,
    slaves,
    terms,
    ratings,
    doubts,
    slave,
    slavefiles,
    upgrades,
    peers,
    via,
    between,
    errands,
    events,
    addon,
    install,
)


class FarmApp(FastAPI):
    """The application. The slave's one call goes past FastAPI, whose layers cost more than the whole call may.

    Attributes:
        hot: what answers that call; it has the same layers of ours around it as everything else.
        path: the path of its host below which others reach the server; empty: none.
    """

    hot: ASGIApp | None = None
    path: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope = below(scope, self.path)
        if self.hot is not None and scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self.hot(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Pages(Mount):
    """The dashboard, which answers whatever nobody else does, but for the API's addresses: what is no page there."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether an address is a page's."""
        return (Match.NONE, {}) if scope["path"].startswith("/api/") else super().matches(scope)


def create_app(services: Services) -> FarmApp:
    """Return the application that answers for these services.

    Args:
        services: the running parts; whoever started them ends them.
    """
    app = _routed()
    app.state.services = services
    problem.install(app)
    app.router.routes.append(Pages("", app=dashboard(services, app.openapi)))
    app.path = path_of(services.settings.public_url)
    _unlike(app.path)
    largest = int(services.settings.request_limit)
    # The last one added is the first to see a request.
    app.add_middleware(Lent, services=services)
    app.add_middleware(Limits, largest=largest)
    app.add_middleware(Authenticate, authenticator=services.authenticator, peering=services.peering)
    app.add_middleware(Observe, metrics=services.metrics)
    known = Authenticate(Limits(NextCall(services), largest), services.authenticator, services.peering)
    app.hot = Observe(known, services.metrics)
    return app


def _unlike(path: str) -> None:
    """Refuse a path below which no request could be told from those that come past the proxy.

    Raises:
        NotASetup: it begins like one of the server's own addresses.
    """
    own = {
        str(getattr(route, "path", "")).split("/")[1] for room in (*_ROUTERS, *ROOMS) for route in room.router.routes
    }
    if path and path.split("/")[1] in own | {"static"}:
        raise NotASetup(f"public_url has the path {path}, which is one of the server's own.", hint="Choose another.")


def openapi() -> dict[str, Any]:
    """Return the API's description, for those who have no server running."""
    return _routed().openapi()


def _routed() -> FarmApp:
    app = FarmApp(title="DistRen", version=__version__, openapi_tags=TAGS, docs_url=None, redoc_url=None)
    for room in _ROUTERS:
        app.include_router(room.router)
    describe(app)
    return app
