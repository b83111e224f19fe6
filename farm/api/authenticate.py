"""Who asks, before anything else: a 401 is answered before a byte of the body is read.

FastAPI would read a whole form first, so this stands in front of it, as plain ASGI.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from farm.accounts.authenticator import Authenticator
from farm.accounts.identity import Identity
from farm.api import problem
from farm.api.dashboard import cookie, files
from farm.api.dashboard.tologin import to_login, wants_page
from farm.api.install.endpoints import PATH as WHEEL
from farm.api.peers import letters
from farm.package.addon import NAME as ADDON
from farm.peers.peering import Peering
from farm.protocol.peers import WELL_KNOWN
from farm.words.errors import DistrenError, Forbidden, Unauthenticated

PUBLIC = frozenset(
    {
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/addon",
        "/addon.zip",
        "/addon/index.json",
        f"/addon/{ADDON}",
        WHEEL,
        "/api/server",
        WELL_KNOWN,
        "/api/accounts/register",
        "/api/accounts/login",
        "/api/accounts/recover",
        "/api/slave/login",
        "/api/slaves/join",
    }
    | files.PUBLIC
)
"""All addresses that need no token. Everything else does, also what does not exist."""

SLAVES = "/api/slave/"
"""Addresses that slaves call, and nobody else."""


class Authenticate:
    """Let requests with a valid token through, with `scope["identity"]`.

    Args:
        app: what answers them.
        authenticator: who knows the tokens.
        peering: who knows other servers, whose requests are signed.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, peering: Peering) -> None:
        self._app = app
        self._authenticator = authenticator
        self._peering = peering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if letters.signed(scope):
            await self._of_a_server(scope, receive, send)
            return
        public = scope["path"] in PUBLIC
        try:
            # A page that anyone may read has the menu of whoever is logged in.
            if not public or (wants_page(scope) and cookie.token(scope)):
                scope["identity"] = await self._identify(scope)
        except DistrenError as error:
            if public:
                await self._app(scope, receive, send)
            elif isinstance(error, Unauthenticated) and wants_page(scope):
                await to_login(scope)(scope, receive, send)
            else:
                await refuse(send, error)
            return
        await self._app(scope, receive, send)

    async def _of_a_server(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer another server, if it is let in, and sign the answer."""
        try:
            sign = await letters.admit(scope, self._peering)
        except DistrenError as error:
            await refuse(send, error)
            return
        letter = scope["letter"]
        await self._app(scope, letters.checked(receive, letter), letters.Sealed(send, letter, sign))

    async def _identify(self, scope: Scope) -> Identity:
        token = _bearer(scope) or cookie.token(scope)
        identity = await self._authenticator.identify(token) if token else None
        if identity is None:
            raise Unauthenticated(hint="`distren login` gets a token; slaves log in with key and password.")
        if identity.is_slave != scope["path"].startswith(SLAVES):
            who = "users; a slave's token does" if identity.is_slave else "slaves; a user's token does"
            raise Forbidden(f"This address is for {who} not open it.")
        return identity


async def refuse(send: Send, error: DistrenError) -> None:
    """Answer with an error and close the connection, since the body was not read."""
    found = {**problem.headers(error), "connection": "close"}
    encoded = [(name.encode(), value.encode()) for name, value in found.items()]
    body = problem.body(error)
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return str(token.strip()) if kind.lower() == "bearer" and len(token) < 500 else ""
    return ""
