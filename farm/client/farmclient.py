"""A user's client: one method per endpoint, messages in and out, our errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from farm.client.answers import understood
from farm.client.carrying import Carrier
from farm.client.detour import Detour
from farm.client.http import encoded, options, problem, translated
from farm.client.landing import Landing
from farm.client.patience import OnBytes, unwatched
from farm.client.sse import events, tail
from farm.client.unpacking import unpacked
from farm.package.hashing import CHUNK
from farm.protocol.accounts import InviteMade, LogIn, LoginGranted, MakeInvite, Register, ServerInfo, UserView
from farm.protocol.jobs import (
    CheckReport,
    FarmEvent,
    FramePage,
    FrameView,
    JobChange,
    JobCommand,
    JobPage,
    JobView,
    LogTail,
    OutputFile,
    OutputPage,
    Receiving,
    Submission,
)
from farm.protocol.joining import (
    Join,
    JoinCodeMade,
    JoinCodeView,
    Joined,
    MakeJoinCode,
    MakeSlaveKey,
    SlaveKeyMade,
)
from farm.protocol.methods import MethodDescription
from farm.protocol.slaveviews import SlaveView
from farm.protocol.timing import FrameTiming, JobTiming
from farm.protocol.upgrades import UpgradeView
from farm.protocol.why import Rush, WhyView

M = TypeVar("M", bound=BaseModel)


class FarmClient:
    """Talk to one server as one user; usable from several threads.

    Args:
        server: the server's address, `http://host:port`.
        token: from :meth:`register` or :meth:`login`; None for those two.
        verify: check the server's certificate; a path names one to trust.

    Raises:
        DistrenError: every method, with the server's own code; `Unreachable` if no server answers.
    """

    def __init__(self, server: str, token: str | None = None, verify: bool | str = True) -> None:
        self.server = server
        with translated(server):
            self._speak(httpx.Client(**options(server, token, verify)), Detour())

    def _speak(self, http: httpx.Client, detour: Detour) -> None:
        """Speak with the server over these connections, and send and fetch large files so."""
        self._http = http
        self._carrier = Carrier(http, self.server, self.send, detour)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- the server and accounts ---

    def server_info(self) -> ServerInfo:
        """Return what anyone may know of the server."""
        return self.get("/api/server", ServerInfo)

    def server_time(self) -> datetime | None:
        """Return the server's clock, from the Date header; None if it sends none."""
        date = self.send("GET", "/api/server").headers.get("date")
        return parsedate_to_datetime(date) if date else None

    def register(self, register: Register) -> LoginGranted:
        """Make an account and log in."""
        return self.post("/api/accounts/register", LoginGranted, register)

    def login(self, login: LogIn) -> LoginGranted:
        """Log in; the token is shown this once."""
        return self.post("/api/accounts/login", LoginGranted, login)

    def logout(self) -> None:
        """Revoke this client's token."""
        self.send("POST", "/api/accounts/logout")

    def me(self) -> UserView:
        """Return the user whose token this is."""
        return self.get("/api/accounts/me", UserView)

    def make_invite(self, invite: MakeInvite) -> InviteMade:
        """Make an invite code (admins)."""
        return self.post("/api/accounts/invites", InviteMade, invite)

    def methods(self) -> list[MethodDescription]:
        """Return the render methods and their settings."""
        return self.listed("/api/methods", MethodDescription)

    # --- slaves ---

    def make_slave_key(self, name: str) -> SlaveKeyMade:
        """Make a slave, or a new password for one's own; the password is shown this once."""
        return self.post("/api/slaves", SlaveKeyMade, MakeSlaveKey(name=name))

    def make_join_code(self, wish: MakeJoinCode) -> JoinCodeMade:
        """Make a code by which machines join (admins); it is shown this once."""
        return self.post("/api/slaves/join-codes", JoinCodeMade, wish)

    def join_codes(self) -> list[JoinCodeView]:
        """Return the join codes that still admit machines (admins)."""
        return self.listed("/api/slaves/join-codes", JoinCodeView)

    def revoke_join_code(self, name: str) -> None:
        """Void a join code (admins)."""
        self.send("DELETE", f"/api/slaves/join-codes/{quote(name, safe='')}")

    def join(self, join: Join) -> Joined:
        """Join as a slave, by a join code's secret; needs no token."""
        return self.post("/api/slaves/join", Joined, join)

    def slaves(self) -> list[SlaveView]:
        """Return all slaves."""
        return self.listed("/api/slaves", SlaveView)

    def pause_slave(self, name: str) -> None:
        """Give a slave no new leases."""
        self.send("POST", f"/api/slaves/{name}/pause")

    def resume_slave(self, name: str) -> None:
        """Give a slave leases again."""
        self.send("POST", f"/api/slaves/{name}/resume")

    def upgrade_slave(self, name: str) -> UpgradeView:
        """Bring a slave to the server's version."""
        return self.post(f"/api/slaves/{name}/upgrade", UpgradeView)

    def retire_slave(self, name: str) -> None:
        """Void a slave's key."""
        self.send("DELETE", f"/api/slaves/{name}")

    # --- jobs ---

    def check(self, submission: Submission) -> CheckReport:
        """Say what would become of a submission; sends no files."""
        return self.post("/api/jobs/check", CheckReport, submission)

    def submit(self, submission: Submission) -> Receiving:
        """Make a job that waits for its files."""
        return self.post("/api/jobs", Receiving, submission)

    def put_blob(self, path: Path, sha256: str, size: int, on_bytes: OnBytes = unwatched) -> None:
        """Send a file's bytes, in constant memory; goes on where an earlier try broke off.

        Raises:
            LengthMismatch: the file has changed its size since it was hashed.
        """
        self._carrier.put(path, sha256, size, on_bytes)

    def queue(self, job: int) -> JobView:
        """Say that all files of a job have been sent."""
        return self.post(f"/api/jobs/{job}/queue", JobView)

    def jobs(self, **filters: str | int | None) -> JobPage:
        """Return jobs, newest first.

        Args:
            filters: state, owner, project, search, after, limit; None is left out.
        """
        return self.get("/api/jobs", JobPage, **filters)

    def job(self, job: int) -> JobView:
        """Return a job."""
        return self.get(f"/api/jobs/{job}", JobView)

    def job_of_key(self, key: str) -> JobView:
        """Return my job with the key of its submission.

        Raises:
            NotFound: there is none.
        """
        return self.get("/api/jobs/by-key", JobView, key=key)

    def change(self, job: int, change: JobChange) -> JobView:
        """Change a job."""
        return self._read(self.send("PATCH", f"/api/jobs/{job}", body=change), JobView)

    def command(self, job: int, verb: str, command: JobCommand | None = None) -> JobView:
        """Pause, resume, approve, cancel or retry a job."""
        return self.post(f"/api/jobs/{job}/{verb}", JobView, command or JobCommand())

    def delete(self, job: int, *, confirmed: bool = False) -> None:
        """Delete a job; its number is never used again."""
        self.send("DELETE", f"/api/jobs/{job}", params={"confirmed": confirmed})

    def frames(self, job: int, **filters: str | int | bool | None) -> FramePage:
        """Return frames in ascending order; filters: state, uniform, after, limit."""
        return self.get(f"/api/jobs/{job}/frames", FramePage, **filters)

    def frame(self, job: int, frame: int) -> FrameView:
        """Return a frame with its attempts."""
        return self.get(f"/api/jobs/{job}/frames/{frame}", FrameView)

    def job_timing(self, job: int) -> JobTiming:
        """Return where the time of a job's frames went."""
        return self.get(f"/api/jobs/{job}/timing", JobTiming)

    def frame_timing(self, job: int, frame: int) -> FrameTiming:
        """Return where a frame's time went."""
        return self.get(f"/api/jobs/{job}/frames/{frame}/timing", FrameTiming)

    def log(self, job: int, frame: int, attempt: int | None = None) -> str:
        """Return the renderer's log of an attempt; None: of the last one."""
        return self.send("GET", f"/api/jobs/{job}/frames/{frame}/log", params=_given(attempt=attempt)).text

    def tail(self, job: int, frame: int) -> Iterator[LogTail]:
        """Follow what a frame's renderer says, until it is not rendered any more."""
        return tail(self._http, self.server, f"/api/jobs/{job}/frames/{frame}/tail")

    def thumbnail(self, job: int, frame: int) -> bytes:
        """Return a frame's thumbnail, WebP."""
        return self.send("GET", f"/api/jobs/{job}/frames/{frame}/thumbnail").content

    def output(self, job: int, **filters: int | None) -> OutputPage:
        """Return finished files in ascending order of frames; filters: after, limit, version."""
        return self.get(f"/api/jobs/{job}/output", OutputPage, **filters)

    def fetch_file(
        self, job: int, file: OutputFile, target: Path, on_bytes: OnBytes = unwatched, version: int | None = None
    ) -> None:
        """Fetch a finished file, as the job is or was; goes on where an earlier try broke off.

        Raises:
            HashMismatch: it arrived damaged.
        """
        path = f"/api/jobs/{job}/output/{file.frame}/{quote(file.name)}" + (f"?version={version}" if version else "")
        landing = Landing(target, file.sha256, file.size)
        try:
            past = self._carrier.land(path, landing, on_bytes)
            landing.finish()
            if past:
                # The last byte comes from the server: so it hears that the file is at home.
                self.send("GET", path, headers={"Range": "bytes=-1"})
        finally:
            landing.close()

    def fetch_bundle(self, job: int, frames: str | None, target: Path, on_bytes: OnBytes = unwatched) -> None:
        """Fetch finished files as one tar; goes on where an earlier try broke off, if they are still the same.

        Args:
            job: the job's number.
            frames: only these; None: all.
            target: where the tar goes.
            on_bytes: is told of bytes that arrived.

        Raises:
            LengthMismatch: it arrived short.
        """
        path, query = f"/api/jobs/{job}/bundle", _given(frames=frames)
        told = self.send("HEAD", path, params=query).headers
        landing = Landing(target, told["etag"].strip('"'), int(told["content-length"]))
        try:
            self._carrier.land(path, landing, on_bytes, query)
            landing.finish(whole=True)
        finally:
            landing.close()

    def bundled(self, job: int, frames: str) -> Iterator[tuple[str, int, BinaryIO]]:
        """Yield the finished files of some frames as they arrive in one tar: name, size and bytes."""
        query = _given(frames=frames)
        with (
            translated(self.server),
            self._http.stream("GET", f"/api/jobs/{job}/bundle", params=query) as response,
        ):
            if response.is_error:
                response.read()
                raise problem(response)
            yield from unpacked(response.iter_bytes(CHUNK))

    def events(self, job: int | None = None, since: str | None = None) -> Iterator[FarmEvent]:
        """Follow the event log, from now or from an event's id; reconnects without losing any.

        Raises:
            Unavailable, Unreachable: the server has been away for longer than ten minutes.
        """
        return events(self._http, self.server, _given(job=job), since)

    def why(self, job: int, frame: int | None = None) -> WhyView:
        """Return why a job or a frame waits, and why slaves got it."""
        return self.get(f"/api/jobs/{job}/why" if frame is None else f"/api/jobs/{job}/frames/{frame}/why", WhyView)

    def put_first(self, job: int, *, hold_others: bool = False) -> JobView:
        """Let a job come before all others (admins)."""
        return self._read(self.send("PUT", f"/api/jobs/{job}/first", body=Rush(hold_others=hold_others)), JobView)

    def put_back(self, job: int) -> JobView:
        """Let a job come in its turn again (admins)."""
        return self._read(self.send("DELETE", f"/api/jobs/{job}/first"), JobView)

    # --- how ---
    def send(self, verb: str, path: str, body: BaseModel | None = None, **how: Any) -> httpx.Response:
        """Send a request; an answer that is a problem is raised."""
        if body is not None:
            how["content"] = encoded(body)
            how["headers"] = {"Content-Type": "application/json"}
        with translated(self.server):
            response = self._http.request(verb, path, **how)
        if response.is_error:
            raise problem(response)
        return response

    def get(self, path: str, kind: type[M], **query: str | int | bool | None) -> M:
        """Get a message; parameters that are None are left out."""
        return self._read(self.send("GET", path, params=_given(**query)), kind)

    def listed(self, path: str, kind: type[M]) -> list[M]:
        """Get a list of messages."""
        response = self.send("GET", path)
        with understood(self.server):
            return TypeAdapter(list[kind]).validate_json(response.content)  # type: ignore[valid-type]

    def post(self, path: str, kind: type[M], body: BaseModel | None = None) -> M:
        """Post a message, and return the answer."""
        return self._read(self.send("POST", path, body=body), kind)

    def _read(self, response: httpx.Response, kind: type[M]) -> M:
        with understood(self.server):
            return kind.model_validate_json(response.content)


def _given(**values: str | int | bool | None) -> dict[str, str | int | bool]:
    return {key: value for key, value in values.items() if value is not None}
