from __future__ import annotations

import stat
from pathlib import Path

import pytest

from farm.peers.keys import KeyRing, verify
from farm.protocol.peers import WELL_KNOWN, ServerCard
from farm.words.errors import NotASetup, Unauthenticated
from tests.serving import serving


def test_the_keys_survive_a_restart_and_only_the_servers_user_can_read_them(tmp_path: Path) -> None:
    file = tmp_path / "peering.key"
    public = KeyRing(file).public
    again = KeyRing(file)
    assert again.public == public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    verify(public, b"good morning", again.sign(b"good morning"))


def test_a_signature_of_another_text_or_key_is_refused(tmp_path: Path) -> None:
    ours, theirs = KeyRing(tmp_path / "ours"), KeyRing(tmp_path / "theirs")
    signature = ours.sign(b"3 frames")
    with pytest.raises(Unauthenticated):
        verify(ours.public, b"4 frames", signature)
    with pytest.raises(Unauthenticated):
        verify(theirs.public, b"3 frames", signature)
    with pytest.raises(Unauthenticated):
        verify(ours.public, b"3 frames", signature[:-1])


def test_a_former_key_signs_for_those_who_know_no_other_until_it_is_thrown_away(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys")
    former = keys.public
    now = keys.rotate()
    verify(former, b"new key", keys.sign(b"new key", former))
    verify(now, b"anything", keys.sign(b"anything"))
    keys.forget_former()
    assert not KeyRing(tmp_path / "keys").has(former)
    assert KeyRing(tmp_path / "keys").rotate(revoke=True) != now
    assert not KeyRing(tmp_path / "keys").has(now)


def test_all_processes_of_a_server_sign_with_the_key_of_now(tmp_path: Path) -> None:
    ours, other = KeyRing(tmp_path / "keys"), KeyRing(tmp_path / "keys")
    assert ours.public == other.public
    now = other.rotate()
    assert ours.public == now
    ours.forget_former()
    assert other.rotate() != now
    assert ours.has(now)
    (tmp_path / "keys").unlink()
    assert other.has(now)  # a server that runs does not lose who it is


def test_damaged_keys_are_no_new_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text('["12')
    with pytest.raises(NotASetup, match="can't be read"):
        KeyRing(tmp_path / "keys").sign(b"")


def test_a_server_says_who_it_is_to_anyone(tmp_path: Path) -> None:
    with serving(tmp_path, name="annex") as served:
        card = ServerCard.model_validate(served.http.get(WELL_KNOWN).json())
        assert (card.name, card.addresses) == ("annex", [served.url])
        assert "sleep" in card.methods
        keys = KeyRing(tmp_path / "peering.key")
        verify(bytes.fromhex(card.key), b"it is I", keys.sign(b"it is I"))
