"""Ways to graphics cards."""

from __future__ import annotations

from farm.words.backends import backend, backends, cards

WAYS = ["OPTIX A", "OPTIX A", "CUDA A", "CUDA A", "HIP B"]


def test_cards_are_counted_once_however_many_ways_lead_to_them() -> None:
    assert backend("OPTIX NVIDIA RTX 4090") == "optix"
    assert backend("CPU OPTIX") == ""
    assert backends(WAYS) == ["optix", "cuda", "hip"]
    assert [cards(WAYS), cards(WAYS, "optix"), cards(WAYS, "hip"), cards(WAYS, "metal"), cards([])] == [3, 2, 1, 0, 0]
