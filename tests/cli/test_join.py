"""Machines that join: the real command against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.client.farmclient import FarmClient
from farm.protocol.accounts import Register
from farm.protocol.slaves import MakeJoinCode
from farm.words.joincode import JoinCode
from farm.words.settings import SlaveSettings, load
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
