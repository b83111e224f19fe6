"""Machines that join: the real command against a real server."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shlex
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from farm.protocol.jobs import Requirement, Submission
from farm.protocol.joining import MakeJoinCode
from farm.sandbox.reaper import bound
from farm.words.joincode import JoinCode
from farm.words.settings import SlaveSettings, load
from farm.words.states import SlaveState
from tests.cli.conftest import Run
from tests.server.test_tls import certificate  # noqa: F401 - a fixture
from tests.serving import PASSPHRASE, serving


@pytest.fixture
def sleeps(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the machine offer no renderer but the one that sleeps; return where its settings go."""
    monkeypatch.setenv("DISTREN_SLAVE_METHODS", "sleep")
    return home / "config" / "distren" / "slave.conf"


def test_a_machine_joins_by_the_code_alone_and_renders_a_test_frame(run: Run, sleeps: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "server") as served:
        made = served.admin().make_join_code(MakeJoinCode())
        result = run("join", made.code, "--no-service", "--name", "ws07", "--json")
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert (told["slave"], told["server"], told["renderers"]) == ("ws07", "home", ["sleep 1.0"])
        assert told["test_frames"][0].startswith("sleep 1.0 on the processor")
        settings = load(SlaveSettings)
        assert settings.server == served.url
        assert settings.key
        again = run("join", made.code, "--no-service")
        assert again.exit_code == 1
        assert "--again" in again.output


def test_a_code_is_not_used_up_by_a_machine_without_renderers(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_METHODS", "povray")
    monkeypatch.setenv("PATH", str(tmp_path))
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        made = admin.make_join_code(MakeJoinCode())
        monkeypatch.setattr("farm.methods.povray.find._USUAL", ())
        result = run("join", made.code, "--no-service")
        assert "--provision" in result.output
        assert admin.join_codes()[0].machines == 1
        assert not (home / "config" / "distren" / "slave.conf").exists()


def test_a_server_with_a_certificate_of_its_own_must_show_the_one_that_the_code_knows(
    run: Run,
    sleeps: Path,
    certificate: tuple[Path, Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    chain, key = certificate
    with serving(tmp_path / "server", ssl_certificate=chain, ssl_key=key) as served:
        with FarmClient(served.url, verify=str(chain)) as guest:
            wish = {"name": "ada", "passphrase": PASSPHRASE, "invite": served.ready.setup_code}
            token = guest.register(Register.model_validate(wish)).token
        with FarmClient(served.url, token, str(chain)) as admin:
            code = JoinCode.parse(admin.make_join_code(MakeJoinCode()).code)
            assert len(code.fingerprint) == 64
            other = JoinCode(code.secret, code.address, "0" * 64)
            refused = run("join", str(other), "--no-service", "--no-test")
            assert "another certificate" in refused.output
            assert admin.join_codes()[0].machines == 1, "nothing was sent"
            result = run("join", str(code), "--no-service", "--no-test")
            assert result.exit_code == 0, result.output
            pem = load(SlaveSettings).certificate
            assert pem is not None
            with FarmClient(served.url, verify=str(pem)) as slave:
                assert slave.server_info().name == "home"
            # Behind a proxy, the code does not know the certificate: that of the studio's authority is named.
            bare = str(replace(JoinCode.parse(admin.make_join_code(MakeJoinCode()).code), fingerprint=""))
            more = ("--again", "--no-service", "--no-test", "--name", "ws02")
            assert "certificate" in run("join", bare, *more).output.lower()
            assert run("join", bare, *more, "--certificate", chain).exit_code == 0
            assert load(SlaveSettings).certificate == chain


def test_what_the_service_runs_is_a_slave_that_logs_in(
    run: Run, sleeps: Path, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The unit is written for a user, as it is for everybody but root; what it says is run by hand."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        code = admin.make_join_code(MakeJoinCode()).code
        told = json.loads(run("join", code, "--no-test", "--name", "ws07", "--json").stdout)
        assert Path(told["service"]) == home / "config" / "systemd" / "user" / "distren-slave.service"
        argv = command_of(Path(told["service"]))
        with subprocess.Popen(argv, cwd=tmp_path) as slave:
            bound(slave.pid)
            try:
                end = time.monotonic() + 90
                while admin.slaves()[0].state is not SlaveState.IDLE:
                    assert slave.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.1)
            finally:
                slave.terminate()
        assert slave.returncode == 0, "told to stop, as systemd does"


def test_a_service_brings_pictures_home(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with serving(tmp_path / "server") as served:
        admin = served.admin()
        monkeypatch.setenv("DISTREN_SERVER", served.url)
        monkeypatch.setenv("DISTREN_TOKEN", admin._http.headers["Authorization"].removeprefix("Bearer "))
        said = run("fetch", "--follow", tmp_path / "renders", "--service")
        assert said.exit_code == 0, said.output
        unit = home / "config" / "systemd" / "user" / "distren-fetch.service"
        assert str(unit) in said.output
        argv = command_of(unit)
        assert argv[argv.index("--follow") + 1] == str(tmp_path / "renders")
        slave = served.slave(admin)
        job = admin.submit(Submission(name="one", requires=Requirement(method="sleep"), frames="1")).job
        admin.queue(job)
        (lease,) = slave.orders(want=1).leases
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as packed:
            info = tarfile.TarInfo("output/0001.png")
            info.size = 3
            packed.addfile(info, io.BytesIO(b"png"))
        data, attempt = tar.getvalue(), lease.frames[0].attempt
        ended = {"attempt": attempt, "sha256": hashlib.sha256(data).hexdigest(), "seconds": 1}
        slave.orders(finished=[{**ended, "inline": base64.b64encode(data).decode()}])
        with subprocess.Popen(argv, cwd=tmp_path) as following:
            bound(following.pid)
            try:
                end, picture = time.monotonic() + 90, tmp_path / "renders" / f"job{job}" / "0001.png"
                while not picture.exists():
                    assert following.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.1)
            finally:
                following.terminate()
        assert picture.read_bytes() == b"png"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_machine_without_blender_gets_one(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISTREN_SLAVE_METHODS", "blender")
    monkeypatch.setattr("farm.methods.blender.places._usual", lambda: iter(()))
    with serving(tmp_path / "server") as served:
        code = served.admin().make_join_code(MakeJoinCode()).code
        result = run("join", code, "--no-service", "--provision", "--json")
        assert result.exit_code == 0, result.output
        told = json.loads(result.stdout)
        assert told["renderers"][0].startswith("blender ")
        assert told["test_frames"][0].startswith("blender ")
        assert load(SlaveSettings).provision


def command_of(unit: Path) -> list[str]:
    """Return the command that a systemd unit starts."""
    (line,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line.partition("=")[2])]
