"""A few slaves at a time, and none any more when one shows that the new version does not work."""

from __future__ import annotations

from typing import Any

from farm.cli.rollout import Rollout
from farm.protocol.slaveviews import SlaveView
from farm.protocol.upgrades import UpgradeView
from farm.words.states import SlaveState


class Pretend:
    """A server whose slaves go one stage further with each look at them."""

    STAGES = ("ordered", "fetching", "draining", "trying", "starting", "")

    def __init__(self, *names: str, fails: str = "", current: str = "", **states: SlaveState) -> None:
        self.at: dict[str, int | None] = dict.fromkeys(names)
        self.states = states
        self.fails, self.current = fails, current
        self.most = 0

    def upgrade_slave(self, name: str) -> UpgradeView:
        if name == self.current:
            return UpgradeView(version="0.2.0", stage="current")
        self.at[name] = 0
        return UpgradeView(version="0.2.0", stage="ordered")

    def slaves(self) -> list[SlaveView]:
        for name, stage in self.at.items():
            if stage is not None and name not in self.states:
                self.at[name] = min(stage + 1, len(self.STAGES) - 1)
        views = [self._view(name, stage) for name, stage in self.at.items()]
        self.most = max(self.most, sum(view.upgrade is not None and not view.upgrade.message for view in views))
        return views

    def _view(self, name: str, stage: int | None) -> SlaveView:
        said: UpgradeView | None = None
        if stage is not None and self.STAGES[stage]:
            said = UpgradeView.model_validate({"version": "0.2.0", "stage": self.STAGES[stage]})
        if said and name == self.fails and said.stage == "trying":
            self.at[name] = self.STAGES.index("draining")
            said = UpgradeView(stage="failed", message="it has no legs")
        facts: dict[str, Any] = {"slots": 1, "hardware": None, "offers": [], "last_seen": None, "running": []}
        return SlaveView(
            name=name, owner="ada", state=self.states.get(name, SlaveState.IDLE), version="0.2.0", build="b",
            frames_done=0, message="", upgrade=said, **facts,
        )  # fmt: skip


def rolled(server: Pretend, at_once: int, *, keep_going: bool = False) -> tuple[Rollout, list[str]]:
    told: list[str] = []
    rollout = Rollout(
        server, list(server.at), at_once, keep_going=keep_going,
        tell=lambda name, what: told.append(f"{name} {what}"), sleep=lambda _: None,
    )  # fmt: skip
    rollout.run()
    return rollout, told


def test_all_are_upgraded_a_few_at_a_time() -> None:
    server = Pretend("a", "b", "c", "d", "e", current="c")
    rollout, told = rolled(server, 2)
    assert rollout.results == {**dict.fromkeys("abde", "runs 0.2.0"), "c": "runs 0.2.0 already"}
    assert server.most == 2
    stages = [what for what in told if what.startswith("a ")]
    assert stages == ["a fetching", "a draining", "a trying", "a starting", "a runs 0.2.0"]


def test_after_one_failed_no_other_is_begun() -> None:
    rollout, _ = rolled(Pretend("a", "b", "c", fails="a"), 1)
    assert rollout.failed == ["a"]
    assert "it has no legs" in rollout.results["a"]
    assert rollout.results["b"] == rollout.results["c"] == "not begun, since another failed"


def test_others_are_upgraded_all_the_same_if_that_is_wanted() -> None:
    rollout, _ = rolled(Pretend("a", "b", "c", fails="a"), 1, keep_going=True)
    assert rollout.failed == ["a"]
    assert rollout.results["b"] == rollout.results["c"] == "runs 0.2.0"


def test_nobody_waits_for_machines_that_are_off_or_somebodys() -> None:
    rollout, _ = rolled(Pretend("a", "b", "c", a=SlaveState.OFFLINE, b=SlaveState.RESTING), 1)
    assert rollout.results == {"a": "waits until it is back", "b": "waits until it wakes", "c": "runs 0.2.0"}
