"""How the add-on talks to a server: a real one, without a Blender."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blender_addon.comms import account, detour, errands, folders, link, logins, uploading
from blender_addon.comms.bringing import safe
from blender_addon.comms.errands import Errand
from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link, tidy
from blender_addon.comms.messages import NotSent, Objections, Progress, Sent
from blender_addon.comms.parcel import LocalFile, Parcel
from blender_addon.comms.sending import Sending
from blender_addon.comms.trouble import Trouble
from blender_addon.ui.words import other_version
from farm.cli.connect import tidy as farm_tidy
from farm.cli.logins import Logins
from farm.protocol import uploads
from farm.protocol.accounts import MakeInvite
from farm.words.errors import BadAddress
from farm.words.folders import user_folder
from farm.words.settings import DEFAULT_PORT
from tests.certificates import certificate_for
from tests.serving import PASSPHRASE, Served, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as served:
        yield served


@pytest.fixture
def mia(served: Served) -> Iterator[Link]:
    """An artist who has registered by the add-on."""
    code = served.admin().make_invite(MakeInvite()).code
    made = account.register(Link(served.url), "mia", PASSPHRASE, code)
    with Link(served.url, made.login.token).fresh() as link:
        yield link


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    files = []
    for name, size in (("shot.blend", 1000), ("wood.png", 6 * 1024 * 1024), ("sky.png", 30)):
        (tmp_path / name).write_bytes(os.urandom(size))
        os.utime(tmp_path / name, (1, 1))
        files.append(LocalFile(str(tmp_path / name), f"film/{name}", None))
    submission = {
        "name": "shot", "requires": {"method": "sleep"}, "source": "film/shot.blend", "frames": "1-3", "key": "k1",
    }  # fmt: skip
    return Parcel(submission, files, anyway=True)


def sent(made: Link, parcel: Parcel, stop: threading.Event | None = None) -> tuple[Any, int]:
    """Send; return the last message, and how many bytes travelled."""
    told: list[Any] = []
    Sending(made, parcel, told.append, stop or threading.Event(), Hashes()).run()
    moved = [message.done for message in told if isinstance(message, Progress) and message.stage == "Sending"]
    return told[-1], max(moved, default=0)


# --- accounts ---


def test_a_login_is_kept_for_the_command_too_and_for_nobody_else(served: Served, mia: Link) -> None:
    path = Path(logins.file())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = Logins.load(path)
    assert (kept.current, kept.servers[served.url].user, kept.servers[served.url].token) == (
        served.url,
        "mia",
        mia.token,
    )
    assert account.connect(mia).user == "mia"


def test_logging_out_voids_the_token(served: Served, mia: Link) -> None:
    account.log_out(mia)
    assert logins.find(served.url) is None
    with pytest.raises(Trouble, match=r"Your login has ended\. Log in again\."):
        mia.call("GET", "/api/accounts/me")
    assert account.connect(mia).user == ""


def test_a_wrong_passphrase_is_said_in_words(served: Served, mia: Link) -> None:
    with pytest.raises(Trouble, match="passphrase"):
        account.log_in(Link(served.url), "mia", "not this one at all")


# --- what is wrong with an address ---


def test_what_is_wrong_with_an_address_is_said_in_words(served: Served) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    cases = {
        f"http://127.0.0.1:{free}": "refused",
        "http://no-such-host.invalid:8282": "There is no machine",
        served.url.replace("http", "https"): "does not speak https",
    }
    for address, words in cases.items():
        with pytest.raises(Trouble, match=words):
            account.connect(Link(address))


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"farm": "home", "speech": 9}',
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_something_else_at_the_address_is_told_from_a_server(garbage: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=(listener, garbage), daemon=True).start()
        with pytest.raises(Trouble, match="makes no sense here"):
            account.connect(Link(f"http://127.0.0.1:{listener.getsockname()[1]}"))


def _answer(listener: socket.socket, garbage: bytes, context: ssl.SSLContext | None = None) -> None:
    connection, _ = listener.accept()
    with contextlib.suppress(OSError), connection:
        spoken = context.wrap_socket(connection, server_side=True) if context else connection
        with spoken:
            spoken.recv(4096)
            spoken.sendall(garbage)


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(Trouble, match=r"cert\.pem can't be read"):
        account.connect(Link("https://127.0.0.1:1", certificate=str(tmp_path / "cert.pem")))


def test_a_certificate_that_nobody_vouches_for_is_named_until_it_is_trusted(tmp_path: Path) -> None:
    made, key = certificate_for(tmp_path, "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    for trusted, words in (("", "is not trusted"), (str(made), "makes no sense here")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_answer, args=(listener, b"SSH-2.0\r\n", context), daemon=True).start()
            with pytest.raises(Trouble, match=words):
                account.connect(Link(f"https://127.0.0.1:{listener.getsockname()[1]}", certificate=trusted))


def test_another_version_is_said() -> None:
    assert other_version("0.1.0", "0.1.7") == ""
    told = "The server is of version 0.2.0, this add-on of 0.1.0: get the server's from its page /addon."
    assert other_version("0.1.0", "0.2.0") == told


# --- sending ---


def test_a_job_is_sent_and_the_same_files_never_travel_twice(mia: Link, parcel: Parcel) -> None:
    last, moved = sent(mia, parcel)
    assert isinstance(last, Sent)
    assert (last.job["state"], last.job["counts"]["ready"]) == ("queued", 3)
    assert moved > 6_000_000
    again, moved = sent(mia, Parcel({**parcel.submission, "key": "k2"}, parcel.files, anyway=True))
    assert isinstance(again, Sent)
    assert (again.job["job"], moved) == (2, 0)


def test_it_can_be_sent_paused(mia: Link, parcel: Parcel) -> None:
    last, _ = sent(mia, Parcel({**parcel.submission, "paused": True}, parcel.files, anyway=True))
    assert last.job["state"] == "paused"


def test_nothing_is_sent_while_no_slave_fits_unless_the_artist_says_so(mia: Link, parcel: Parcel) -> None:
    last, _ = sent(mia, Parcel(parcel.submission, parcel.files))
    assert isinstance(last, Objections)
    assert last.unfit
    assert not last.problems
    assert mia.call("GET", "/api/jobs")["jobs"] == []


def test_what_was_found_here_and_what_the_server_finds_is_said_together(mia: Link, parcel: Parcel) -> None:
    wrong = Parcel({**parcel.submission, "settings": {"colour": 1}}, parcel.files, problems=["No camera."])
    last, moved = sent(mia, wrong)
    assert isinstance(last, Objections)
    assert last.problems[0] == "No camera."
    assert "colour" in " ".join(last.problems)
    assert moved == 0


class Breaking(Link):
    """A link that breaks while a large file is sent; `times` times, after `after` bytes."""

    def __init__(self, server: str, token: str, times: int, after: int) -> None:
        super().__init__(server, token)
        self.times, self.after = times, after

    def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
        passed = 0

        def watch(count: int) -> None:
            nonlocal passed
            passed += count
            if self.times and passed > self.after:
                self.times -= 1
                self._mine.connection.sock.shutdown(socket.SHUT_RDWR)
            on_bytes(count)

        super().put(path, file, part, watch, stop)


def test_an_upload_that_breaks_goes_on_inside_the_file(
    served: Served, mia: Link, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    starts = []
    plain = Link.put
    monkeypatch.setattr(Link, "put", lambda self, path, file, part, *rest: (starts.append(part.start), plain(self, path, file, part, *rest)))  # fmt: skip  # noqa: E501
    last, _ = sent(Breaking(served.url, mia.token, 1, 4_000_000), parcel)
    assert isinstance(last, Sent)
    assert [start for start in starts if start > 1_000_000]


def test_what_broke_off_for_good_goes_on_with_the_same_job(
    served: Served, mia: Link, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.01)
    last, _ = sent(Breaking(served.url, mia.token, 100, 1_000_000), parcel)
    assert isinstance(last, NotSent)
    assert last.again
    assert mia.call("GET", "/api/jobs/1")["state"] == "receiving"
    last, _ = sent(mia, parcel)
    assert isinstance(last, Sent)
    assert last.job["job"] == 1


def test_stopping_ends_it_at_once_and_leaves_no_half_job(mia: Link, parcel: Parcel) -> None:
    stop = threading.Event()

    class Stopping(Link):
        def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
            stop.set()
            super().put(path, file, part, on_bytes, stop)

    last, _ = sent(Stopping(mia.server, mia.token), parcel, stop)
    assert isinstance(last, NotSent)
    assert (last.trouble.code, last.again) == ("stopped", False)
    assert mia.call("GET", "/api/jobs/1")["state"] == "canceled"


@pytest.mark.parametrize("late", [False, True])
def test_stopping_just_while_the_server_makes_the_job_leaves_no_half_job(mia: Link, parcel: Parcel, late: bool) -> None:
    stop = threading.Event()
    unmade: list[Any] = []

    class Stopping(Link):
        """Breaks off when the server is asked for a job, which it makes then, or after it was first looked for."""

        def call(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
            if (verb, path) == ("POST", "/api/jobs"):
                stop.set()
                unmade.append(body)
                if not late:
                    mia.call(verb, path, unmade.pop())
                raise Trouble("The connection broke off.", code="unreachable", passing=True)
            try:
                return super().call(verb, path, body, **query)
            except Trouble:
                if path == "/api/jobs/by-key" and unmade:
                    mia.call("POST", "/api/jobs", unmade.pop())
                raise

    last, _ = sent(Stopping(mia.server, mia.token), parcel, stop)
    assert isinstance(last, NotSent)
    assert (last.trouble.code, last.again, last.ended) == ("stopped", False, True)
    assert [job["state"] for job in mia.call("GET", "/api/jobs")["jobs"]] == ["canceled"]


@pytest.mark.parametrize("change", ["grow", "shrink", "delete"])
def test_a_file_that_changes_while_it_is_sent_ends_the_job_by_name(mia: Link, parcel: Parcel, change: str) -> None:
    class Changing(Link):
        def put(self, path: str, file: str, part: range, on_bytes: Any, stop: threading.Event) -> None:
            if file.endswith("wood.png"):
                if change == "delete":
                    Path(file).unlink(missing_ok=True)
                else:
                    os.truncate(file, part.stop + (1 if change == "grow" else -1))
            super().put(path, file, part, on_bytes, stop)

    last, _ = sent(Changing(mia.server, mia.token), parcel)
    assert isinstance(last, NotSent)
    assert not last.again
    assert "wood.png" in str(last.trouble)
    assert mia.call("GET", "/api/jobs/1")["state"] == "canceled"


def test_a_file_that_is_gone_before_it_is_read_is_named(mia: Link, parcel: Parcel) -> None:
    Path(parcel.files[2].local).unlink()
    last, _ = sent(mia, parcel)
    assert isinstance(last, NotSent)
    assert "sky.png" in str(last.trouble)


def test_a_void_token_says_log_in_again(served: Served, mia: Link, parcel: Parcel) -> None:
    mia.call("POST", "/api/accounts/logout")
    last, _ = sent(mia, parcel)
    assert isinstance(last, NotSent)
    assert "Log in again" in str(last.trouble)


# --- what the add-on and the farm must agree on ---


def test_the_add_on_and_the_farm_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (link.PORT, uploading.RESUMABLE_BYTES) == (DEFAULT_PORT, uploads.RESUMABLE_BYTES)
    assert detour.HEADER == uploads.DIRECT
    assert [folders.user_folder(kind) for kind in ("config", "cache", "state")] == [
        str(user_folder("config")),
        str(user_folder("cache")),
        str(user_folder("state")),
    ]


@pytest.mark.parametrize("written", ["render.local", "http://a:1/x/", "https://farm.example.org", "[::1]:8282", "ftp://a", "a:b", ""])  # fmt: skip  # noqa: E501
def test_addresses_are_read_as_the_command_reads_them(written: str) -> None:
    try:
        farms = farm_tidy(written)
    except BadAddress:
        with pytest.raises(Trouble):
            tidy(written)
    else:
        assert tidy(written) == farms


# --- pictures ---


def test_errands_are_remembered_for_the_next_start(home: Path) -> None:
    errands.note(Errand("http://a:1", 3, "/film"))
    errands.note(Errand("http://b:1", 3, "/film"))
    errands.note(Errand("http://a:1", 3, "/other", replace=True))
    assert errands.load("http://a:1") == [Errand("http://a:1", 3, "/other", replace=True)]
    errands.forget("http://a:1", 3)
    assert errands.load("http://a:1") == []


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a//b", "a\\b", "C:x", "a\nb", "..", ""])
def test_no_name_of_a_servers_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(Trouble):
        safe(name)


def test_names_of_pictures_are_safe() -> None:
    assert safe("passes/film_0001.exr") == "passes/film_0001.exr"


def test_without_any_network_that_is_said_and_the_same_goes_on_later() -> None:
    """In a network namespace of its own, with nothing in it."""
    script = (
        "from blender_addon.comms import account; from blender_addon.comms.link import Link\n"
        "from blender_addon.comms.trouble import Trouble\n"
        "try: account.connect(Link('http://192.0.2.1:8282'))\n"
        "except Trouble as trouble: print(trouble.message, trouble.passing)"
    )
    argv = ["unshare", "--map-root-user", "--net", sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip("this system gives no network namespaces")
    assert done.stdout == "There is no network. True\n", done.stderr
