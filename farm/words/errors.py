"""One tree of errors: each class carries its message, HTTP status, code and exit code.

A raised error becomes a problem+json body on the server (:mod:`farm.api`), is made
again from that body in the client (:func:`from_problem`), and ends as one line and an
exit code in the CLI. So a fault has the same name everywhere.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DistrenError(Exception):
    """Something went wrong that DistRen has a name for.

    Args:
        message: what happened, to which job, frame or file. Default: the class's own.
        hint: what to do next, as a sentence.
        facts: more members for the problem body; plain JSON values.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    default: ClassVar[str] = "Something went wrong."

    def __init__(self, message: str | None = None, *, hint: str = "", **facts: Any) -> None:
        self.message = message or self.default
        self.hint = hint
        self.facts = facts
        super().__init__(self.message)

    def problem(self) -> dict[str, Any]:
        """Return the body of an RFC 9457 answer that describes this error."""
        body: dict[str, Any] = {
            "type": f"urn:distren:{self.code}",
            "title": self.default,
            "status": self.status,
            "code": self.code,
            "detail": self.message,
        }
        if self.hint:
            body["hint"] = self.hint
        return {**self.facts, **body}


class Malformed(DistrenError):
    """The request's form is wrong: it can never succeed as it is."""

    status, code, exit_code = 422, "malformed", 2
    default = "The request is malformed."


class BadFrameRange(Malformed):
    """A frame range that can't be read, is empty, or is beyond the limit."""

    code = "bad_frame_range"
    default = "The frame range can't be read."


class BadPackage(Malformed):
    """A distrenjob.xml that can't be read, or describes no job."""

    code = "bad_package"
    default = "The job's description is wrong."


class CircularDependency(Malformed):
    """Frames that wait for each other in a circle: none of them could ever be rendered."""

    code = "circular_dependency"
    default = "Frames wait for each other in a circle."


class BadAddress(Malformed):
    """Text that is no distren:// address or server name."""

    code = "bad_address"
    default = "This is no DistRen address."


class BadSetting(Malformed):
    """A setting that is unknown, of the wrong type, or out of its limits."""

    code = "bad_setting"
    default = "A setting is wrong."


class Unauthenticated(DistrenError):
    """No token, or one that is unknown, revoked or expired."""

    status, code, exit_code = 401, "unauthenticated", 4
    default = "Log in first: the token is missing, unknown, revoked or expired."


class WrongPassphrase(Unauthenticated):
    """The name and the passphrase don't belong together."""

    code = "wrong_passphrase"
    default = "Name or passphrase is wrong."


class PeerRefused(Unauthenticated):
    """A message that is none of a peer's: unknown, wrongly signed, said before, too old, or meant for another."""

    code = "peer_refused"
    default = "This message is none of a peer's."


class Forbidden(DistrenError):
    """Known, but not allowed to do this."""

    status, code, exit_code = 403, "forbidden", 4
    default = "You may not do this."


class PeeringPaused(Forbidden):
    """An admin has paused the exchange with this server."""

    code = "peering_paused"
    default = "An admin has paused the exchange of jobs between these servers."


class RegistrationRefused(Forbidden):
    """Registration is closed, or the invite code is unknown, used up or expired."""

    code = "registration_refused"
    default = "This server does not register new users without a valid invite code."


class NotFound(DistrenError):
    """There is no such thing, or it is none of the asker's business."""

    status, code, exit_code = 404, "not_found", 5
    default = "There is no such thing here."


class UnknownPeer(NotFound):
    """A server with which this one exchanges no jobs."""

    code = "unknown_peer"
    default = "This server exchanges no jobs with that one."


class JobNotFound(NotFound):
    """There is no such job, or it belongs to somebody else."""

    code = "job_not_found"
    default = "There is no such job."


class FrameNotFound(NotFound):
    """The job has no such frame."""

    code = "frame_not_found"
    default = "The job has no such frame."


class FileNotHere(NotFound):
    """The file is not here, or not yet."""

    code = "file_not_found"
    default = "There is no such file."


class MethodNotAllowed(DistrenError):
    """The address exists, but not for this HTTP method."""

    status, code = 405, "method_not_allowed"
    default = "This address does not take this HTTP method."


class Conflict(DistrenError):
    """The thing is in a state that does not admit this."""

    status, code = 409, "conflict"
    default = "This does not fit the present state."


class WrongState(Conflict):
    """A state change that the transition table does not have."""

    code = "wrong_state"
    default = "This is not possible in the present state."


class FilesMissing(Conflict):
    """A job can't be queued before all its files have arrived."""

    code = "files_missing"
    default = "Files of the job have not arrived yet."


class WrongOffset(Conflict):
    """An upload can't go on at this byte; `offset` says where it can."""

    code = "wrong_offset"
    default = "The upload can't go on at this byte."


class NotEnoughPoints(Conflict):
    """More points than the user has."""

    code = "not_enough_points"
    default = "There are not enough points."


class NameTaken(Conflict):
    """Names of users and slaves are unique on a server."""

    code = "name_taken"
    default = "This name is taken."


class NeedsConfirmation(Conflict):
    """The job is another user's: ask the person once, then say `confirmed`."""

    code = "needs_confirmation"
    default = "This job is another user's."


class SlaveBusyElsewhere(Conflict):
    """The slave key is in use by a slave that was heard of in the last 15 seconds."""

    code = "slave_key_in_use"
    default = "Another slave is logged in with this key."


class VersionUnfit(Conflict):
    """A slave is too old for its server, or newer than it."""

    code = "version_unfit"
    default = "The slave's version does not fit the server's."


class StaleReport(Conflict):
    """A report that is older than one the server already took."""

    code = "stale_report"
    default = "A newer report of this slave was already taken."


class Refused(DistrenError):
    """A submission that could not give the pictures that were asked for."""

    status, code, exit_code = 409, "refused", 6
    default = "The job can't be rendered as it is."


class JobFailed(DistrenError):
    """The job ended, but not with all its frames done."""

    status, code, exit_code = 409, "job_failed", 7
    default = "The job did not end well."


class TooLarge(DistrenError):
    """More bytes than the limit allows."""

    status, code = 413, "too_large"
    default = "This is larger than the server accepts."


class QuotaExceeded(TooLarge):
    """The user's quota of stored bytes is used up."""

    code = "quota_exceeded"
    default = "Your storage quota is used up."


class HashMismatch(DistrenError):
    """The bytes that arrived are not the ones that were announced."""

    status, code = 400, "hash_mismatch"
    default = "The bytes that arrived don't have the announced hash."


class LengthMismatch(DistrenError):
    """Fewer or more bytes arrived than were announced."""

    status, code = 400, "length_mismatch"
    default = "The number of bytes that arrived is not the announced one."


class UnsafePackage(DistrenError):
    """A tarball member that does not belong into a job or a result."""

    status, code = 400, "unsafe_package"
    default = "The tarball holds something that does not belong there."


class RangeNotSatisfiable(DistrenError):
    """The byte range lies outside of the file."""

    status, code = 416, "range_not_satisfiable"
    default = "The byte range lies outside of the file."


class TooManyRequests(DistrenError):
    """Too many tries in a short time."""

    status, code = 429, "too_many_requests"
    default = "Too many tries: wait a minute."


class Unavailable(DistrenError):
    """The server can't take this right now; try again."""

    status, code, exit_code = 503, "unavailable", 3
    default = "The server is busy: try again in a moment."


class Crowded(Unavailable):
    """More reports arrive than the server takes at a time; `retry_after` says in how many seconds there is room."""

    code = "crowded"
    default = "More reports arrive than the server can take at once: keep it, and send it again later."


class DatabaseAway(Unavailable):
    """The database does not answer, is locked, or can't be written; requests work again when it does."""

    code = "database_away"
    default = "The database takes nothing at the moment."


class BrokenOff(Unavailable):
    """An upload stopped before its end; what arrived can be gone on with."""

    code = "broken_off"
    default = "The upload broke off."


class DiskFull(Unavailable):
    """There is no space left where the bytes must go."""

    code = "disk_full"
    default = "The disk is full."


class Unreachable(DistrenError):
    """No answer from the server."""

    status, code, exit_code = 503, "unreachable", 3
    default = "The server can't be reached."


class NotASetup(DistrenError):
    """A setting, program or library that is needed here is missing or unsafe."""

    code, exit_code = "setup", 8
    default = "Something that is needed here is missing."


class NoRoom(NotASetup):
    """This machine's disk is full; `folder`, `needed_bytes` and `free_bytes` say where, and how much is lacking."""

    code = "no_room"
    default = "The disk is full."


class RendererFailed(DistrenError):
    """The renderer ended, hung or said no."""

    code = "renderer_failed"
    default = "The renderer failed."


GATEWAY = (502, 504)
"""What a proxy answers while the server behind it is away, as in a restart: as if that were busy, and no refusal."""


def _tree(root: type[DistrenError]) -> dict[str, type[DistrenError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def codes() -> dict[str, type[DistrenError]]:
    """Return every error class by its stable code."""
    return _tree(DistrenError)


def from_problem(body: dict[str, Any], status: int) -> DistrenError:
    """Make the error again that a problem+json body describes.

    Args:
        body: the parsed body; members that are unknown become facts.
        status: the HTTP status, for a body without a known code.

    Returns:
        The error, of the class that has the body's code, else of the first with the status.
    """
    known = codes()
    by_status = {kind.status: kind for kind in reversed(known.values())} | dict.fromkeys(GATEWAY, Unavailable)
    kind = known.get(str(body.get("code", ""))) or by_status.get(status, DistrenError)
    facts = {k: v for k, v in body.items() if k not in {"type", "title", "status", "code", "detail", "hint", "message"}}
    return kind(str(body.get("detail") or kind.default), hint=str(body.get("hint", "")), **facts)
