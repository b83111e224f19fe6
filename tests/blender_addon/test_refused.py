"""What a server can't take is said by the names of the panel's fields, with what is allowed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from blender_addon.comms import account
from blender_addon.comms.hashes import Hashes
from blender_addon.comms.link import Link
from blender_addon.comms.messages import NotSent
from blender_addon.comms.parcel import LocalFile, Parcel
from blender_addon.comms.sending import Sending
from blender_addon.comms.trouble import Trouble
from farm.protocol.accounts import MakeInvite
from tests.serving import PASSPHRASE, serving


def test_wishes_that_can_not_be_are_said_in_an_artists_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (blend := tmp_path / "shot.blend").write_bytes(b"BLENDER")
    with serving(tmp_path / "data") as served:
        code = served.admin().make_invite(MakeInvite()).code
        with pytest.raises(Trouble, match=r"^Passphrase: use at least 8 characters\. Change it, and try again\.$"):
            account.register(Link(served.url), "mia", "short", code)
        with pytest.raises(Trouble, match=r"^Name: use 1 to 32 letters and digits"):
            account.register(Link(served.url), "mia mira", PASSPHRASE, code)
        made = account.register(Link(served.url), "mia", PASSPHRASE, code)
        said: list[Any] = []
        requires = {"method": "sleep", "tags": ["gpu", "so fast!"], "pool": "the heavy"}
        wish = {
            "name": "x" * 201,
            "requires": requires,
            "source": "shot.blend",
            "frames": "1",
            "key": "k",
            "priority": -1,
        }
        parcel = Parcel(wish, [LocalFile(str(blend), "shot.blend", None)], anyway=True)
        with Link(served.url, made.login.token).fresh() as link:
            Sending(link, parcel, said.append, threading.Event(), Hashes()).run()
    assert isinstance(said[-1], NotSent)
    assert (said[-1].again, said[-1].trouble.message) == (
        False,
        "Name: use 200 characters at most. "
        "Slaves' tags, no. 2: use 1 to 32 letters and digits, inside it also “.”, “_” and “-”. "
        "Pool: use 1 to 32 letters and digits, inside it also “.”, “_” and “-”.",
    )
