"""The children that decode pictures: limited, kept, and replaced when they die."""

from __future__ import annotations

import asyncio

import pytest
from PIL import Image

from farm.pictures.checker import Checker, Limits

pytestmark = pytest.mark.anyio


async def test_pictures_are_checked_by_one_child_after_the_other(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    async with Checker() as checker:
        assert (await checker.check(tmp_path / "a.png", tmp_path / "t.webp")).thumbnail
        child = next(iter(checker._all))
        assert not (await checker.check(tmp_path / "b.png")).ok
        assert not (await checker.check(tmp_path / "missing.png")).ok
        assert next(iter(checker._all)) is child


async def test_a_dead_child_is_replaced(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    async with Checker() as checker:
        await checker.check(tmp_path / "a.png")
        next(iter(checker._all)).kill()
        results = [await checker.check(tmp_path / "a.png") for _ in range(2)]
        assert results[-1].ok


async def test_a_picture_that_needs_too_much_memory_is_a_bad_one_and_the_next_is_fine(tmp_path):
    Image.new("RGB", (9000, 9000), (1, 2, 3)).save(tmp_path / "large.png", compress_level=1)
    Image.linear_gradient("L").save(tmp_path / "small.png")
    async with Checker(limits=Limits(memory_bytes=300 << 20)) as checker:
        assert not (await checker.check(tmp_path / "large.png", tmp_path / "t.webp")).ok
        assert (await checker.check(tmp_path / "small.png")).ok


async def test_a_decoder_that_takes_too_long_is_ended(tmp_path):
    Image.new("RGB", (6000, 6000)).save(tmp_path / "large.png", compress_level=1)
    async with Checker(limits=Limits(wall_seconds=0.001)) as checker:
        facts = await checker.check(tmp_path / "large.png")
        assert not facts.ok
        assert "within the limits" in facts.message
        assert not checker._all


async def test_several_pictures_are_checked_at_once_by_several_children(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    async with Checker(children=2) as checker:
        facts = await asyncio.gather(*(checker.check(tmp_path / "a.png") for _ in range(6)))
        assert all(f.ok for f in facts)
        assert len(checker._all) == 2
