"""The register: levels by a table, acceptance by another person, sources entered once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audits.core import risks as core
from audits.core.gbt20984 import sources, table
from audits.errors import ChangedMeanwhile, TooManyKept
from audits.errors.rectification import RiskNotFound, RiskStateRefused
from audits.models.rectification import Failing
from audits.models.risks import Risk, RiskFacts, RiskFilter, SevereAlert
from audits.models.systems import Asset, Scope
from audits.service.risks import register
from audits.service.risks.register import NewRisk, Rating, TreatmentPlan
from audits.service.systems.scopes import platform
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.rectification_house import (
    ANALYST,
    APPROVER,
    AUDITOR,
    FAILING,
    STRANGER,
    FindingsHouse,
    open_findings_house,
)

FACTS = RiskFacts("勒索软件加密业务库", "业务库", "malware", "备份与生产同网段", "每日备份")
PAGE = PageRequest()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FindingsHouse]:
    with open_findings_house(tmp_path) as opened:
        yield opened


def entered(house: FindingsHouse, title: str = FACTS.title) -> Risk:
    facts = RiskFacts(title, FACTS.asset_name, FACTS.threat, FACTS.weakness, FACTS.measures)
    return house.services.risks.add_risk(ANALYST, NewRisk(facts, 4, 5))


def treated(
    house: FindingsHouse, risk: Risk, residual: tuple[int, int] = (2, 2), by: Actor = ANALYST
) -> Risk:
    plan = TreatmentPlan(
        risk.version, "reduce", "离线备份", "wang", house.clock.now() + 30 * DAY, *residual
    )
    return house.services.risks.treat_risk(by, risk.id, plan)


def test_the_table_grows_with_both_ratings_and_says_its_doubt() -> None:
    rows = [[table.level_of(a, b) for b in table.GRADES] for a in table.GRADES]
    assert rows == [list(row) for row in table.MATRIX]
    assert all(row == sorted(row) for row in rows)
    assert all(list(column) == sorted(column) for column in zip(*rows, strict=True))
    assert (rows[0][0], rows[4][4]) == (1, 5)
    assert "策略值" in table.DOUBT.zh
    for wrong in ((0, 1), (1, 6)):
        with pytest.raises(Invalid):
            table.level_of(*wrong)


def test_a_risk_is_rated_by_a_person_and_entered_once(house: FindingsHouse) -> None:
    risk = entered(house)
    assert (risk.level, risk.rated_by, risk.state) == (5, ANALYST.id, "identified")
    with pytest.raises(ChangedMeanwhile):
        entered(house)
    rating = Rating(risk.version, 2, 5, "离线备份", "operation", "介质未演练")
    rated = house.services.risks.rate_risk(APPROVER, risk.id, rating)
    assert (rated.level, rated.threat, rated.measures) == (4, "operation", "离线备份")
    with pytest.raises(ChangedMeanwhile):
        house.services.risks.rate_risk(APPROVER, risk.id, Rating(risk.version, 1, 1))
    with pytest.raises(Invalid, match="threats"):
        house.services.risks.rate_risk(APPROVER, risk.id, Rating(rated.version, 1, 1, "", "x"))
    assert house.services.risks.risk_matrix(AUDITOR) == {(2, 5): 1}
    assert house.services.risks.risk_matrix(AUDITOR, "sys_x") == {}


def test_what_remains_small_is_closed_by_another_than_the_owner(house: FindingsHouse) -> None:
    risks = house.services.risks
    risk = entered(house)
    with pytest.raises(RiskStateRefused):
        risks.close_risk(APPROVER, risk.id, risk.version, "没有处置")
    grave = treated(house, risk, (3, 4))
    assert (grave.state, grave.residual_level) == ("treating", 4)
    with pytest.raises(RiskStateRefused):
        risks.close_risk(APPROVER, grave.id, grave.version, "剩余过高")
    small = treated(house, grave)
    with pytest.raises(SelfApproval):
        risks.close_risk(ANALYST, small.id, small.version, "自己关闭")
    closed = risks.close_risk(APPROVER, small.id, small.version, "已核实离线备份")
    assert (closed.state, closed.closed_by) == ("closed", APPROVER.id)
    with pytest.raises(RiskStateRefused):
        treated(house, closed)
    assert risks.list_risks(AUDITOR, RiskFilter(state="closed"), PAGE).items == [closed]
    assert house.refused() == ["audits.close_risk"] * 3 + ["audits.treat_risk"]


def test_a_plan_has_a_treatment_an_owner_and_a_day_ahead(house: FindingsHouse) -> None:
    risk, risks = entered(house), house.services.risks
    now = house.clock.now()
    for treatment, due_at, residual in (
        ("accept", now + DAY, 0),
        ("", now + DAY, 0),
        ("avoid", now, 0),
        ("avoid", now + DAY, 6),
    ):
        plan = TreatmentPlan(risk.version, treatment, "下线", "wang", due_at, residual, residual)  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            risks.treat_risk(ANALYST, risk.id, plan)
    plan = TreatmentPlan(risk.version, "transfer", "投保", "wang", now + DAY)
    planned = risks.treat_risk(ANALYST, risk.id, plan)
    assert (planned.residual_level, planned.treatment) == (0, "transfer")
    later = TreatmentPlan(planned.version, "transfer", "投保", "wang", now + 2 * DAY)
    with pytest.raises(SelfApproval):
        risks.treat_risk(ANALYST, risk.id, later)
    house.clock.advance(3 * 24 * 3600)
    late = risks.list_risks(AUDITOR, RiskFilter(state="overdue"), PAGE).items
    assert [one.id for one in late] == [risk.id]
    assert late[0].overdue(house.clock.now())


def test_another_person_accepts_a_risk_until_a_day(house: FindingsHouse) -> None:
    acceptance = house.services.acceptance
    risk = treated(house, entered(house))
    until = house.clock.now() + 90 * DAY
    for wrong in (house.clock.now(), house.clock.now() + 367 * DAY):
        with pytest.raises(Invalid):
            acceptance.ask_acceptance(ANALYST, risk.id, risk.version, "低于成本", wrong)
    asked = acceptance.ask_acceptance(APPROVER, risk.id, risk.version, "低于成本", until)
    with pytest.raises(RiskStateRefused):
        treated(house, asked)
    with pytest.raises(SelfApproval):
        acceptance.decide_acceptance(APPROVER, risk.id, asked.digest, grant=True)
    other = replace(APPROVER, id="acc_zhou", name="zhou")
    with pytest.raises(ChangedMeanwhile):
        acceptance.decide_acceptance(other, risk.id, "0" * 64, grant=True)
    house.persons.one(other.id, ANALYST.id)
    with pytest.raises(SelfApproval):  # the owner's other account
        acceptance.decide_acceptance(other, risk.id, asked.digest, grant=True)
    house.persons.part(other.id, ANALYST.id)
    accepted = acceptance.decide_acceptance(other, risk.id, asked.digest, grant=True)
    assert (accepted.state, accepted.accepted_until) == ("accepted", until)
    assert accepted.accepted_name == other.name
    with pytest.raises(RiskStateRefused):
        acceptance.decide_acceptance(other, risk.id, asked.digest, grant=True)
    assert not accepted.overdue(until)
    assert accepted.overdue(until + 1)


def test_a_refused_or_forgotten_request_changes_nothing(house: FindingsHouse) -> None:
    acceptance = house.services.acceptance
    risk = treated(house, entered(house))
    until = house.clock.now() + 90 * DAY
    asked = acceptance.ask_acceptance(ANALYST, risk.id, risk.version, "先接受", until)
    refused = acceptance.decide_acceptance(APPROVER, risk.id, asked.digest, grant=False)
    assert (refused.state, refused.accepted_until, refused.waits) == ("treating", 0, False)
    again = acceptance.ask_acceptance(ANALYST, risk.id, refused.version, "再问", until)
    house.clock.advance(15 * 24 * 3600)
    freed = treated(house, again, by=APPROVER)
    assert (freed.state, freed.waits) == ("treating", False)


def test_a_new_rating_ends_an_acceptance(house: FindingsHouse) -> None:
    acceptance = house.services.acceptance
    risk = entered(house)
    until = house.clock.now() + 90 * DAY
    asked = acceptance.ask_acceptance(ANALYST, risk.id, risk.version, "先接受", until)
    accepted = acceptance.decide_acceptance(APPROVER, risk.id, asked.digest, grant=True)
    rating = Rating(accepted.version, 5, 5)
    rated = house.services.risks.rate_risk(ANALYST, risk.id, rating)
    assert (rated.state, rated.accepted_by, rated.treatment) == ("identified", "", "")


def alert(at: int, **subjects: str) -> SevereAlert:
    return SevereAlert(
        id=f"al_{at}",
        rule_id="brute-force",
        title="口令暴力破解",
        critical=True,
        subjects=subjects,
        at=at,
    )


def test_alerts_and_failed_items_fill_the_register_once(house: FindingsHouse) -> None:
    now = house.clock.now()
    house.alerts += [alert(now - 2, host="web1"), alert(now - 1, host="web1"), alert(now)]
    assessment = house.fail()
    filled = house.services.filling.fill_risks(ANALYST, assessment_id=assessment)
    assert sorted(risk.source for risk in filled.added) == ["alert", "alert", "item"]
    item = next(risk for risk in filled.added if risk.source == "item")
    assert (item.title[:11], item.level, item.rated_by) == (FAILING + " ", 5, "")
    web = next(risk for risk in filled.added if risk.asset_name == "web1")
    assert (web.last_seen_at, web.seen) == (now - 1, 1)
    again = house.services.filling.fill_risks(ANALYST, assessment_id=assessment)
    assert (again.added, again.refreshed, again.left) == ((), (), 0)
    house.clock.advance(5)
    house.alerts.append(alert(house.clock.now(), host="web1"))
    (seen,) = house.services.filling.fill_risks(ANALYST).refreshed
    assert (seen.id, seen.seen, seen.state) == (web.id, 2, "identified")
    assert house.services.filling.fill_risks(STRANGER).added == ()


def test_a_closed_risk_whose_source_comes_again_is_open(house: FindingsHouse) -> None:
    house.alerts.append(alert(house.clock.now(), host="web1"))
    (risk,) = house.services.filling.fill_risks(ANALYST).added
    small = treated(house, risk)
    house.services.risks.close_risk(APPROVER, small.id, small.version, "已封禁")
    house.clock.advance(5)
    house.alerts.append(alert(house.clock.now(), host="web1"))
    (seen,) = house.services.filling.fill_risks(ANALYST).refreshed
    assert (seen.state, seen.treatment, seen.closed_at) == ("identified", "", 0)
    _, history = house.services.risks.show_risk(AUDITOR, risk.id)
    assert [e.deed for e in history] == ["add_risk", "treat_risk", "close_risk", "see_risk"]


def test_what_was_not_seen_since_stays_as_it_is(house: FindingsHouse) -> None:
    risk = entered(house)
    seen = sources.risk_of_alert(Scope(platform("org_root")), alert(risk.last_seen_at))
    assert core.seen_again(risk, seen) is None


def test_a_proposal_follows_its_source_upwards_and_ends_an_acceptance(
    house: FindingsHouse,
) -> None:
    risk = replace(entered(house), rated_by="", likelihood=2, impact=2, level=2)
    seen = sources.risk_of_alert(Scope(platform("org_root")), alert(risk.last_seen_at + 1))
    rating = (seen.likelihood, seen.impact)
    for before in (risk, replace(risk, state="accepted", accepted_by="acc", accepted_until=9)):
        after = core.seen_again(before, seen)
        assert after is not None
        assert (after.likelihood, after.impact) == rating
        assert (after.level > 2, after.state, after.accepted_until) == (True, "identified", 0)
    for kept in (replace(risk, rated_by="acc"), replace(risk, approval_id="apr")):
        after = core.seen_again(kept, seen)
        assert after is not None
        assert after.level == 2


def test_a_partly_met_item_proposes_less_than_a_high_risk() -> None:
    text = Text("访问控制", "access control")
    partly = Failing(FAILING, "", "", text, text, "partial", by_person=False, high_risk=False)
    scope, ratings = Scope(platform("o")), []
    for failing in (
        partly,
        replace(partly, status="noncompliant"),
        replace(partly, high_risk=True),
    ):
        seen = sources.risk_of_failing(scope, "gbt22239", "asm_1", failing, 1)
        ratings.append((seen.likelihood, seen.impact))
    assert ratings == [(3, 3), (3, 4), (4, 5)]
    assert seen.facts.threat == "intrusion"


def test_alerts_of_another_system_are_those_about_its_assets() -> None:
    asset = Asset(
        id="ast_1",
        org_id="o",
        system_id="this",
        name="web1",
        kind="host",
        address="10.0.0.5",
        log_sources=("web-log",),
    )
    scope = Scope(platform("o"), (asset,))
    assert sources.concerns(scope, alert(1, address="10.0.0.5"))
    assert sources.concerns(scope, alert(1, source="web-log"))
    assert not sources.concerns(scope, alert(1, host="db1", account=""))
    assert sources.risk_of_alert(scope, alert(1, host="web1")).facts.asset_id == "ast_1"


def test_another_organisation_sees_no_risk(house: FindingsHouse) -> None:
    risk = entered(house)
    assert house.services.risks.list_risks(STRANGER, RiskFilter(), PAGE).items == []
    assert house.services.risks.risk_matrix(STRANGER) == {}
    with pytest.raises(RiskNotFound):
        house.services.risks.rate_risk(STRANGER, risk.id, Rating(1, 1, 1))


def test_lists_of_risks_keep_to_level_cell_and_limit(house: FindingsHouse) -> None:
    first, second = entered(house), entered(house, "口令泄露")
    listed = house.services.risks.list_risks
    page = listed(AUDITOR, RiskFilter(), PageRequest(1))
    assert len(page.items) == 1
    assert page.next is not None
    every = {first.id, second.id}
    for wanted in (
        RiskFilter(level=5),
        RiskFilter(cell=(4, 5)),
        RiskFilter(state="unclosed"),
        RiskFilter(system_id="this"),
    ):
        assert {risk.id for risk in listed(AUDITOR, wanted, PAGE).items} == every
    assert listed(AUDITOR, RiskFilter(cell=(1, 1)), PAGE).items == []
    with pytest.raises(Invalid, match="states"):
        listed(AUDITOR, RiskFilter(state="lost"), PAGE)


def test_the_register_takes_known_assets_and_so_many(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = RiskFacts("x", "y", "malware", "z", asset_id="ast_9")
    with pytest.raises(Invalid, match="asset"):
        house.services.risks.add_risk(ANALYST, NewRisk(strange, 1, 1))
    monkeypatch.setattr(register, "MAX_UNCLOSED", 0)
    with pytest.raises(TooManyKept):
        entered(house)


def test_the_reports_rows_name_level_treatment_and_acceptance(house: FindingsHouse) -> None:
    risk = treated(house, entered(house))
    scope = house.services.risks.desk.scopes.scope(AUDITOR, "this")
    (row,) = house.rectified.risk_rows(AUDITOR, scope, house.clock.now())
    assert (row["id"], row["level"], row["level_text"]["zh"]) == (risk.id, 5, "很高")
    assert (row["treatment"]["zh"], row["residual_level"], row["proposed"]) == ("降低", 2, False)
    assert row["method"] == "GB/T 20984-2022 matrix-1"
