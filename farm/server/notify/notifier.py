"""Say what is due, again and again."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from farm.accounts import notices
from farm.accounts.notices import Pending
from farm.api.services import Services
from farm.server.notify.payload import SIGNATURE, payload, signature
from farm.words import clock
from farm.words.errors import DistrenError
from farm.words.notices import Way

log = structlog.get_logger(__name__)


async def notify(services: Services) -> None:
    """Say all notifications that are due, several at once; what fails is tried again later."""
    pending = await services.database.write(partial(notices.due, at=clock.now()))
    await asyncio.gather(*(_say(services, one) for one in pending))


async def _say(services: Services, one: Pending) -> None:
    try:
        await _sent(services, one)
    except (DistrenError, ValueError) as error:  # ValueError: an address or a header that no library takes
        reason = " ".join(filter(None, [getattr(error, "message", str(error)), getattr(error, "hint", "")]))
        log.warning("A notification did not arrive.", user=one.user, way=one.way, tries=one.tries, reason=reason)
        await services.database.write(partial(notices.failed, one=one, reason=reason, at=clock.now()))
    else:
        await services.database.write(partial(notices.said, one=one, at=clock.now()))


async def _sent(services: Services, one: Pending) -> None:
    # Imported here: an HTTP client and a mailer are 5 MB that most servers never need.
    if one.way is Way.MAIL:
        from farm.server.notify import mail

        await asyncio.to_thread(mail.send, one, services.settings, services.url)
        return
    from farm.client.webhook import post

    body = payload(one, services.name, services.url)
    signed = {SIGNATURE: signature(one.secret, body, clock.now())} if one.way is Way.WEBHOOK else {}
    await post(one.address, body, signed, private=services.settings.notify_private)
