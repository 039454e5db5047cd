"""A compliance gap is one alert, however often it is told, and ends when the item is back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from detectors.core.telling.sentences import sentence_of
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.controls import ControlGap
from detectors.ports.controls import NoControlChecks
from detectors.service.watching.control_watch import RULE, ControlWatch
from detectors.store.alerts import DatabaseAlerts
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG
from secops.kernel.catalogue import Text
from secops.kernel.events import ControlStatusChanged, Delivery, SealUsed
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

GAP = ControlGap(
    id="this:gbt22239:3:L3-CES1-06",
    title=Text("合规差距:L3-CES1-06 访问控制", "compliance gap: L3-CES1-06 Access control"),
    standard="gbt22239",
    severity="high",
    before="compliant",
    after="not compliant",
    reason=Text("未达到要求: iam.users/default_accounts=1", "fails: iam.users/default_accounts=1"),
    since=1_000_000,
    link="/assessments/controls/gbt22239/L3-CES1-06?system=this",
)


class Checks:
    """Gaps as a test sets them."""

    def __init__(self) -> None:
        self.found: list[ControlGap] = []

    def gaps(self, org_id: str) -> list[ControlGap]:
        return self.found if org_id == ROOT_ORG else []


class Rig:
    """A watch over a real database."""

    def __init__(self, spine: Spine, clock: FakeClock) -> None:
        self.spine, self.clock, self.checks = spine, clock, Checks()
        self.watch = ControlWatch(spine.parts, self.checks, DatabaseAlerts())

    def tell(self, org_id: str = ROOT_ORG) -> None:
        told = ControlStatusChanged(org_id, "L3-CES1-06", "compliant", "noncompliant")
        self.watch.status_changed(Delivery(1, 1, told))

    def alerts(self, org_id: str = ROOT_ORG) -> list[Alert]:
        return list(
            self.spine.parts.transactions.read(
                lambda tx: DatabaseAlerts().page(tx, org_id, AlertFilter(), PageRequest(50))
            )
        )

    def states(self) -> list[str]:
        return [alert.status for alert in self.alerts()]

    def close(self, alert_id: str) -> None:
        self.spine.parts.transactions.run(
            lambda tx: DatabaseAlerts().close(tx, alert_id, "acc_1", "accepted")
        )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    clock = FakeClock()
    spine = database_spine(tmp_path, clock=clock)
    yield Rig(spine, clock)
    spine.close()


def test_a_gap_is_one_alert_however_often_it_is_told(rig: Rig) -> None:
    rig.checks.found = [GAP]
    rig.tell()
    rig.tell()
    (alert,) = rig.alerts()
    assert (alert.kind, alert.rule_id, alert.severity) == ("control", RULE, "high")
    assert alert.custom["link"] == GAP.link
    told = sentence_of(alert)
    assert "L3-CES1-06" in told.zh
    assert "default_accounts=1" in told.en
    assert rig.alerts("org_other") == []


def test_the_alert_ends_with_the_gap_and_opens_again_with_the_next_fall(rig: Rig) -> None:
    rig.checks.found = [GAP]
    rig.tell()
    rig.checks.found = []
    rig.tell()
    assert rig.states() == ["closed"]
    rig.clock.advance(10)
    rig.checks.found = [replace(GAP, since=rig.clock.now())]
    rig.tell()
    assert rig.states() == ["open"]


def test_a_gap_that_a_person_closed_stays_closed_until_the_item_falls_again(rig: Rig) -> None:
    rig.checks.found = [GAP]
    rig.tell()
    rig.clock.advance(10)
    rig.close(rig.alerts()[0].id)
    rig.tell()
    assert rig.states() == ["closed"]
    rig.clock.advance(10)
    rig.checks.found = [replace(GAP, since=rig.clock.now())]
    rig.tell()
    assert rig.states() == ["open"]


def test_other_news_and_other_organisations_change_nothing(rig: Rig) -> None:
    rig.checks.found = [GAP]
    rig.watch.status_changed(Delivery(1, 1, SealUsed(ROOT_ORG, "sel_1", "00")))
    rig.tell("org_other")
    assert rig.alerts() == []
    assert NoControlChecks().gaps(ROOT_ORG) == ()


def test_many_open_alerts_of_gaps_are_all_followed(rig: Rig) -> None:
    rig.checks.found = [replace(GAP, id=f"this:gbt22239:3:{n}") for n in range(230)]
    rig.tell()
    rig.checks.found = []
    rig.tell()
    assert set(rig.states()) == {"closed"}


def test_gaps_of_one_name_in_two_organisations_are_two_alerts(rig: Rig) -> None:
    rig.watch = ControlWatch(rig.spine.parts, Everywhere(), DatabaseAlerts())
    rig.tell()
    rig.tell("org_other")
    here, there = rig.alerts(), rig.alerts("org_other")
    assert (len(here), len(there)) == (1, 1)
    assert here[0].id != there[0].id


class Everywhere(Checks):
    """The same gap in every organisation."""

    def gaps(self, org_id: str) -> list[ControlGap]:
        return [GAP]
