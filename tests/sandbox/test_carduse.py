"""Whether processes use a graphics card. There is none here: what kernel and NVIDIA say is made up as documented."""

from __future__ import annotations

from pathlib import Path

from farm.sandbox.carduse import busy_in, cards_used, drm_seconds

FDINFO = """pos:	0
flags:	02100002
drm-driver:	amdgpu
drm-client-id:	{client}
drm-pdev:	0000:03:00.0
drm-engine-gfx:	{gfx} ns
drm-engine-compute:	{compute} ns
drm-memory-vram:	1024 KiB
"""

PMON = """# gpu        pid  type    sm   mem   enc   dec   jpg   ofa   command
# Idx          #   C/G     %     %     %     %     %     %   name
    0       1372     G     -     -     -     -     -     -   Xorg
    0      48111     C    97    12     -     -     -     -   blender
    1      48112     C     0     0     -     -     -     -   blender
"""


def fd(proc: Path, pid: int, number: int, text: str) -> None:
    folder = proc / str(pid) / "fdinfo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(number)).write_text(text)


def test_a_client_that_has_a_card_open_twice_counts_once(tmp_path: Path) -> None:
    for number in (7, 8):
        fd(tmp_path, 42, number, FDINFO.format(client=5, gfx=2_000_000_000, compute=500_000_000))
    fd(tmp_path, 42, 9, FDINFO.format(client=6, gfx=1_000_000_000, compute=0))
    fd(tmp_path, 42, 3, "pos:\t0\nflags:\t02\n")
    assert drm_seconds([42, 43], tmp_path) == 3.5


def test_a_process_whose_card_time_grows_uses_it_and_one_whose_time_stands_still_does_not(tmp_path: Path) -> None:
    spent = iter([1, 2, 2])

    def pids() -> list[int]:
        fd(tmp_path, 42, 7, FDINFO.format(client=5, gfx=next(spent), compute=0))
        return [42]

    assert not cards_used(pids, tmp_path)
    spent = iter([0, 0, 600_000_000])
    assert cards_used(pids, tmp_path)


def test_only_processes_that_compute_on_a_card_are_busy() -> None:
    assert busy_in(PMON) == [48111]
    assert busy_in("") == busy_in("Unable to determine the device handle for GPU") == []


def test_a_process_that_is_gone_uses_nothing(tmp_path: Path) -> None:
    assert drm_seconds([4242], tmp_path) == 0
