"""The tables as Core objects, for the hot path and for everybody outside of this room."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel

from farm.database import (
    accounttables,
    checktables,
    friendtables,
    noticetables,
    peertables,
    pointtables,
    pooltables,
    slavetables,
    tables,
    waittables,
)

metadata = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


meta = _table(tables.Meta)
sequences = _table(tables.Sequence)
users = _table(accounttables.User)
invites = _table(accounttables.Invite)
join_codes = _table(accounttables.JoinCode)
tokens = _table(accounttables.Token)
slaves = _table(tables.Slave)
jobs = _table(tables.Job)
job_versions = _table(tables.JobVersion)
tallies = _table(tables.Tally)
shares = _table(tables.Share)
frames = _table(tables.Frame)
dependencies = _table(waittables.Dependency)
ripples = _table(waittables.Ripple)
attempts = _table(tables.Attempt)
paces = _table(tables.Pace)
blobs = _table(tables.Blob)
possessions = _table(tables.Possession)
job_files = _table(tables.JobFile)
result_files = _table(tables.ResultFile)
events = _table(tables.Event)
deeds = _table(accounttables.Deed)
pulses = _table(tables.Pulse)
postings = _table(pointtables.Posting)
balances = _table(pointtables.Balance)
books = _table(pointtables.Book)
carried = _table(pointtables.Carried)
subscriptions = _table(noticetables.Subscription)
notices = _table(noticetables.Notice)
peers = _table(peertables.Peer)
peer_invites = _table(peertables.PeerInvite)
peer_nonces = _table(peertables.PeerNonce)
remote_files = _table(peertables.RemoteFile)
lent_frames = _table(peertables.LentFrame)
peer_days = _table(peertables.PeerDay)
taken_back = _table(peertables.TakenBack)
ratings = _table(pointtables.Rating)
pools = _table(pooltables.Pool)
errands = _table(slavetables.Errand)
samples = _table(slavetables.Sample)
spot_checks = _table(checktables.SpotCheck)
trusted_builds = _table(checktables.TrustedBuild)
friends = _table(friendtables.Friend)
