"""The slave's one call: a report in, orders out. The hottest route, so the leanest.

It is plain ASGI: FastAPI's own machinery costs three quarters of such a call.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from farm.accounts.identity import Identity
from farm.api import problem
from farm.api.services import Services
from farm.api.slave.admission import Place
from farm.api.slave.inline import Arrived, arrive
from farm.api.slave.polls import Call
from farm.jobs import results
from farm.peers import lent
from farm.protocol.slaves import Orders, Report
from farm.scheduler.slavecall import TakeReport
from farm.words import clock
from farm.words.errors import StaleReport

PATH = "/api/slave/next"
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class NextCall:
    """Take reports; answer as soon as there is something to say.

    Args:
        services: the parts of the server.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; `scope["identity"]` is the slave."""
        try:
            body = await _body(receive)
            place = await self._services.admission.enter(len(body))
            try:
                answer = _answer(self._services, scope, receive, Report.model_validate_json(body), place)
                del body
                orders = await answer
            finally:
                place.leave()
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the outermost place that can still answer
            await problem.caught(error, PATH)(scope, receive, send)
            return
        said = orders.model_dump_json().encode()
        headers = [*_HEADERS, (b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})


async def _body(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a slave that may render for peers said: all of it, and the peers' parts."""

    slave: Identity
    report: Report
    parts: dict[int, Report]


async def _answer(services: Services, scope: Scope, receive: Receive, report: Report, place: Place) -> Orders:
    identity: Identity = scope["identity"]
    report, asked = _shared(services, identity, report)
    arrived = await arrive(services, identity.id, services.watching.admitted(report))
    report = arrived.report
    call = _call(identity, report)
    services.polls.begin(call)
    try:
        services.polls.look(call)
        orders = await _take(services, identity.id, arrived, asked)
        place.leave()
        if _says_nothing(orders) and (hold := report.hold) > 0:
            # Nothing else is kept of it: thousands hang.
            report = _repeated(report)
            arrived = Arrived(report)
            orders = await _hang(Request(scope, receive), services, call, arrived, hold, orders, asked)
        services.polls.served(call)
    except StaleReport:
        if not call.superseded:
            raise
    finally:
        services.polls.end(call)
    return Orders(superseded=True) if call.superseded else services.watching.told(orders, report)


def _shared(services: Services, slave: Identity, report: Report) -> tuple[Report, Asked | None]:
    """Return what of a report concerns this server, and the whole of it if the slave may render for peers.

    Lending has one hop: what a peer's slave says concerns this server only.
    """
    if slave.peer or not services.lender.active:
        return report, None
    own, parts = lent.split(report)
    return own, Asked(slave, report, parts)


def _call(slave: Identity, report: Report) -> Call:
    here = len(report.running) + len(report.holding)
    holds = bool(here or report.finishing)
    return Call(slave.id, slave.name, wants=report.want > 0, holds=holds, idle=report.want > here)


async def _take(services: Services, slave: int, arrived: Arrived, asked: Asked | None) -> Orders:
    orders = await _own(services, slave, arrived)
    if asked is None:
        return orders
    return await services.lender.orders(asked.slave, asked.report, asked.parts, orders)


async def _own(services: Services, slave: int, arrived: Arrived) -> Orders:
    at = clock.now()
    first = partial(results.record_all, slave=slave, unpacked=arrived.results, at=at) if arrived.results else None
    orders = await services.database.write(TakeReport(slave, arrived.report, at, services.policy, first))
    services.issued.note(slave, orders.leases)
    if not arrived.verdicts:
        return orders
    # The scheduler took results that are none for failures; what the slave hears is the word on its result.
    spoken = {verdict.attempt for verdict in arrived.verdicts}
    others = [verdict for verdict in orders.verdicts if verdict.attempt not in spoken]
    return orders.model_copy(update={"verdicts": [*others, *arrived.verdicts]})


async def _hang(
    request: Request,
    services: Services,
    call: Call,
    again: Arrived,
    hold: float,
    first: Orders,
    asked: Asked | None,
) -> Orders:
    """Wait until there is something to say, a newer call comes, or time is up.

    A call never hangs longer than a heartbeat: the report is the heartbeat, too.
    """
    polls, orders, began = services.polls, first, time.monotonic()
    until = began + min(hold, services.policy.heartbeat_seconds)
    while not (call.superseded or polls.stopped):
        polls.hang(call)
        woken = await call.sleep(until - time.monotonic())
        request.scope["hung"] = time.monotonic() - began
        if not woken or call.superseded or polls.stopped or await request.is_disconnected():
            break
        polls.look(call)
        orders = await _take(services, call.slave, again, asked)
        if not _says_nothing(orders) or _lasting(orders) != _lasting(first):
            break
    return orders


def _repeated(report: Report) -> Report:
    """Return a report without what was taken already: ends, load, and what renderers said."""
    silent = [one.model_copy(update={"tail": ""}) if one.tail else one for one in report.running]
    ends: dict[str, Any] = {"finished": [], "failed": [], "returned": []}
    return report.model_copy(update={**ends, "running": silent, "hold": 0, "load": None})


def _says_nothing(orders: Orders) -> bool:
    """Tell whether orders can wait. Those that last are alone no reason to answer at once."""
    return not (orders.leases or orders.revoked or orders.verdicts or orders.superseded)


def _lasting(orders: Orders) -> tuple[object, ...]:
    """Return what is told again and again, until it is done."""
    return orders.drain, orders.upgrade, orders.errand, orders.terms
