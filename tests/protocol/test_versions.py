from __future__ import annotations

import pytest

from farm.protocol.versions import objection


@pytest.mark.parametrize("slave", ["1.4.0", "1.4.9", "1.3.2", "1.3", "my own", "test"])
def test_a_slave_may_be_one_minor_version_older(slave: str) -> None:
    assert objection("1.4.2", slave) == ("", "")


@pytest.mark.parametrize(("slave", "word"), [
    ("1.2.9", "too old"), ("0.9.0", "too old"), ("1.5.0", "newer"), ("2.0.0", "newer"),
])  # fmt: skip
def test_others_are_told_which_side_to_mend(slave: str, word: str) -> None:
    reason, mend = objection("1.4.2", slave)
    assert word in reason
    assert mend
