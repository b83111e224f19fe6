"""What anybody on a machine may read of a farm that works there: command lines, environments, logs; never a secret."""

from __future__ import annotations

import contextlib

import psutil

from tests.farm.farm import PASSPHRASE, Farm


def test_no_secret_is_in_a_log_a_command_line_or_what_a_renderer_sees(whole_farm: Farm) -> None:
    farm = whole_farm
    slave = farm.start_slave(sandbox="off")  # which would hide more
    job = farm.sleep_job("1-500", seconds=0.5)
    farm.done_frames(job, 1)
    seen: list[str] = []
    renderers = psutil.Process(slave.popen.pid).children(recursive=True)
    for process in renderers:
        with contextlib.suppress(psutil.Error):
            seen.append(repr(process.environ()))
    assert seen, "a renderer was there to be looked at"
    for process in (psutil.Process(farm.server.popen.pid), psutil.Process(slave.popen.pid), *renderers):
        with contextlib.suppress(psutil.Error):
            seen.append(" ".join(process.cmdline()))
    farm.client._http.post("/api/accounts/login", json={"name": "ada", "passphrase": "a wrong secret of ada's"})
    farm.client._http.get("/api/jobs", params={"search": "x"}, headers={"Authorization": "Bearer an invented secret"})
    farm.client.command(job, "cancel")
    farm.ended(job)
    slave.stop()
    farm.server.stop()
    seen += [log.read_text() for log in farm.folder.glob("*.log")]
    key = farm.keys["ws01"]
    passphrase = PASSPHRASE.get_secret_value()
    for secret in (farm.token, key.password, passphrase, "a wrong secret of ada's", "an invented secret"):
        assert not [text[:300] for text in seen if secret in text], secret
