"""What a slave does where jobs can't be contained, or need not be."""

from __future__ import annotations

import sys

import pytest

from farm.methods.base import MethodConfig
from farm.methods.registry import method
from farm.slave.containment import contain
from farm.words.errors import NotASetup
from farm.words.settings import SlaveSettings

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's")]


@pytest.fixture
def without_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


async def test_without_bubblewrap_auto_goes_on_and_says_why(place, without_bubblewrap):
    chosen: SlaveSettings = place.settings.model_copy(update={"sandbox": "auto"})
    found = await contain(chosen, place.folders, method("sleep").offers(MethodConfig()))
    assert not found.works
    assert found.words == "not contained: bubblewrap is not installed."
    assert "apt-get install bubblewrap" in found.mend


async def test_without_bubblewrap_required_refuses_and_says_what_to_do(place, without_bubblewrap):
    with pytest.raises(NotASetup, match=r"sandbox = required, but .* bubblewrap is not installed") as caught:
        await place.containment()
    assert "apt-get install bubblewrap" in caught.value.hint


async def test_a_bubblewrap_that_fails_is_found_out_by_trying(place, monkeypatch, tmp_path):
    broken = tmp_path / "bin" / "bwrap"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    with pytest.raises(NotASetup, match="does not start in bubblewrap: bwrap: setting up uid map") as caught:
        await place.containment()
    assert "user namespaces" in caught.value.hint


async def test_off_is_off(place):
    found = await contain(place.settings.model_copy(update={"sandbox": "off"}), place.folders, [])
    assert found.words == "not contained: sandbox = off"
