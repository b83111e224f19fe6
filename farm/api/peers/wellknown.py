"""`/.well-known/distren`: who this server is, for other servers (RFC 8615)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from farm.api.dependencies import Farm
from farm.protocol.peers import WELL_KNOWN, ServerCard

router = APIRouter(tags=["peers"])


@router.get(WELL_KNOWN, summary="Who this server is, to other servers")
async def card(farm: Farm) -> ServerCard:
    """Return the server's name, addresses, version, public key and methods."""
    return await asyncio.to_thread(farm.peering.card, farm.url)
