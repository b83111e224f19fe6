"""What endpoints ask for, as annotations: `db: Db, user: User`.

The middleware has authenticated before any of these runs (:mod:`farm.api.authenticate`).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from farm.accounts.identity import Identity
from farm.api.services import Services
from farm.database.handle import Database
from farm.files.store import BlobStore
from farm.files.view import JobFolders
from farm.scheduler.policy import Policy
from farm.words.errors import Forbidden, Unauthenticated
from farm.words.settings import ServerSettings


async def services_of(request: Request) -> Services:
    """Return the parts of the server that answers this request."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


async def identity_of(request: Request) -> Identity:
    """Return who asks.

    Raises:
        Unauthenticated: the middleware let an unknown caller through; only public paths do.
    """
    identity = request.scope.get("identity")
    if not isinstance(identity, Identity):
        raise Unauthenticated
    return identity


async def _user(identity: Annotated[Identity, Depends(identity_of)]) -> Identity:
    if identity.is_slave:
        raise Forbidden("This is for users; a slave's token does not do.")
    return identity


async def _admin(identity: Annotated[Identity, Depends(_user)]) -> Identity:
    identity.must_be_admin()
    return identity


async def _slave(identity: Annotated[Identity, Depends(identity_of)]) -> Identity:
    if not identity.is_slave:
        raise Forbidden("This is for slaves; a user's token does not do.")
    return identity


Farm = Annotated[Services, Depends(services_of)]
"""All parts of the server."""


async def _database(farm: Farm) -> Database:
    return farm.database


async def _store(farm: Farm) -> BlobStore:
    return farm.store


async def _folders(farm: Farm) -> JobFolders:
    return farm.folders


async def _settings(farm: Farm) -> ServerSettings:
    return farm.settings


async def _policy(farm: Farm) -> Policy:
    return farm.policy


Db = Annotated[Database, Depends(_database)]
"""The database: `await db.write(…)`, `await db.read(…)`."""

Store = Annotated[BlobStore, Depends(_store)]
"""The blobs."""

Folders = Annotated[JobFolders, Depends(_folders)]
"""The admin's view of jobs, as folders."""

Settings = Annotated[ServerSettings, Depends(_settings)]
"""The server's settings."""

PolicyNow = Annotated[Policy, Depends(_policy)]
"""The scheduler's numbers."""

User = Annotated[Identity, Depends(_user)]
"""A logged-in user."""

Admin = Annotated[Identity, Depends(_admin)]
"""A logged-in admin."""

SlaveAsking = Annotated[Identity, Depends(_slave)]
"""A logged-in slave."""
