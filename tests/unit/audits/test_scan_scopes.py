"""A scope of scans that is given up: nothing of it counts as mended, nothing is hidden by it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import sqlalchemy as sa

from audits.adapters.rendering.outline import paper_of
from audits.core.gbt22239.checks.computing import KNOWN_WEAKNESSES
from audits.core.gbt22239.checks.operations import WEAKNESSES
from audits.core.gbt22239.findings import Check, Looking
from audits.errors import TooManyKept
from audits.errors.rectification import (
    MachineDecides,
    OtherScanner,
    ScopeNotFound,
    ScopeRetired,
)
from audits.models.evidence import Snapshot
from audits.models.risks import FindingFilter, Scan
from audits.service.risks import scans as scan_service
from audits.service.risks.scans import NewScan
from secops.kernel.approvals import SelfApproval
from secops.kernel.catalogue import Language
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, Invalid
from tests.fakes.rectification_house import (
    ANALYST,
    APPROVER,
    AUDITOR,
    KEEPER,
    STRANGER,
    FindingsHouse,
    open_findings_house,
)
from tests.fakes.report_documents import report_document
from tests.unit.audits.test_scans import LOG4J, NGINX, OPENSSH, PAGE, listed, scanned, table

WHY = "扫描器合同到期"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FindingsHouse]:
    with open_findings_house(tmp_path) as opened:
        yield opened


def retired(house: FindingsHouse, scope: str = "内网") -> Scan:
    house.clock.advance(1)
    return house.services.scans.retire_scan_scope(ANALYST, "this", scope, WHY)


def snapshots(house: FindingsHouse, days: int = 0) -> dict[str, Snapshot]:
    scope = house.services.scans.desk.scopes.scope(AUDITOR, "this")
    found = house.rectified(AUDITOR, scope, house.clock.now() + days * DAY)
    return {one.kind: one for one in found}


def facts(house: FindingsHouse, days: int = 0) -> dict[str, Any]:
    return dict(snapshots(house, days)["vuln.scan"].facts)


def acts(house: FindingsHouse, action: str) -> list[dict[str, Any]]:
    def read(tx: Any) -> list[Any]:
        rows = tx.execute(sa.text("SELECT record FROM ledger_door ORDER BY id")).all()
        return [orjson.loads(row[0]) for row in rows]

    found = house.spine.parts.transactions.read(read)
    return [one["details"] for one in found if one["action"] == action]


def judged(house: FindingsHouse, check: Check) -> str:
    look = Looking(snapshots(house))
    check(look)
    return look.finding().status


# what becomes of the findings


def test_what_stood_is_retired_and_what_was_gone_stays_gone(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX, LOG4J)
    scanned(house, OPENSSH, LOG4J)
    retired(house)
    assert listed(house) == [
        ("CVE-2020-0001", "gone"),
        ("CVE-2021-44228", "retired"),
        ("CVE-2024-6387", "retired"),
    ]
    wanted = FindingFilter(state="retired")
    found = house.services.scans.list_findings(AUDITOR, wanted, PAGE).items
    assert [one.overdue(house.clock.now() + 99 * DAY) for one in found] == [False, False]


def test_other_scopes_and_systems_stand_as_they_were(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    scanned(house, NGINX, scope="外网")
    retired(house)
    assert listed(house, state="open") == [("CVE-2020-0001", "open")]
    assert listed(house, scope="外网") == [("CVE-2020-0001", "open")]


def test_the_ledger_holds_who_gave_up_what_and_a_digest_of_why(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX)
    last = retired(house)
    (told,) = acts(house, "audits.retire_scan_scope")
    assert told == {
        "system": "this",
        "scope": "内网",
        "findings": 2,
        "reason_sha256": hashlib.sha256(WHY.encode()).hexdigest(),
    }
    assert (last.retired_by, last.retired_reason) == (ANALYST.id, WHY)
    assert last.retired_at == house.clock.now()


# who, and what is refused


def test_who_may_import_may_give_up_and_nobody_else(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    for actor in (AUDITOR, KEEPER):
        with pytest.raises(Forbidden):
            house.services.scans.retire_scan_scope(actor, "this", "内网", WHY)
    with pytest.raises(ScopeNotFound):
        house.services.scans.retire_scan_scope(STRANGER, "this", "内网", WHY)
    assert listed(house) == [("CVE-2024-6387", "open")]
    assert house.services.scans.retire_scan_scope(APPROVER, "this", "内网", WHY).retired_at


def test_a_scope_is_given_up_once_and_for_a_reason(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    retire = house.services.scans.retire_scan_scope
    for reason in ("", " ", "x" * 501):
        with pytest.raises(Invalid):
            retire(ANALYST, "this", "内网", reason)
    for system, scope in (("this", "没有"), ("sys_none", "内网")):
        with pytest.raises(ScopeNotFound):
            retire(ANALYST, system, scope, WHY)
    retired(house)
    with pytest.raises(ScopeRetired):
        retire(APPROVER, "this", "内网", "再次")
    assert house.refused() == ["audits.retire_scan_scope"]


# what it does not do: mend


def test_giving_up_makes_no_item_compliant(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, LOG4J)
    scanned(house, NGINX, scope="外网")
    house.services.tasks.make_scan_tasks(ANALYST, "this", "sun")
    house.clock.advance(8 * 86_400)
    assert judged(house, KNOWN_WEAKNESSES) == "noncompliant"
    retired(house)
    assert facts(house) == {
        "scopes": 1,
        "retired_scopes": 1,
        "age_days": 8,
        "open": 1,
        "severe_open": 0,
        "overdue": 0,
        "severe_overdue": 0,
        "without_task": 0,
        "retired": 2,
        "severe_retired": 2,
    }
    assert judged(house, KNOWN_WEAKNESSES) == "partial"


def test_without_any_scope_nothing_is_judged(house: FindingsHouse) -> None:
    scanned(house, NGINX)
    retired(house)
    assert "age_days" not in facts(house)
    assert judged(house, KNOWN_WEAKNESSES) == "unassessed"


def test_a_finding_without_a_task_is_not_let_go(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    retired(house)
    assert facts(house)["without_task"] == 1
    assert judged(house, WEAKNESSES) == "noncompliant"
    (task,) = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun").made
    assert task.due_at == house.clock.now() - SECOND + 30 * DAY
    assert facts(house)["without_task"] == 0


def test_its_tasks_end_by_another_named_person_after_a_proof(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    (task,) = house.services.tasks.make_scan_tasks(ANALYST, "this", "zhao").made
    proved = house.proved(task)
    with pytest.raises(MachineDecides):
        house.services.rechecks.close_task(AUDITOR, task.id, proved.version, "已升级")
    retired(house)
    seen = house.services.rechecks.recheck_task(AUDITOR, task.id)
    assert (seen.outcome, seen.task.state) == ("person", "proof_given")
    with pytest.raises(SelfApproval):
        house.services.rechecks.close_task(APPROVER, task.id, seen.task.version, "已升级")
    assert facts(house)["severe_retired"] == 1
    house.services.rechecks.close_task(AUDITOR, task.id, seen.task.version, "已升级")
    assert (facts(house)["retired"], facts(house)["severe_retired"]) == (0, 0)
    again = house.services.tasks.make_scan_tasks(ANALYST, "this", "sun")
    assert (again.made, again.reopened, again.standing) == ((), (), 0)


def test_its_risks_are_in_the_register_whenever_it_is_filled(house: FindingsHouse) -> None:
    scanned(house, LOG4J)
    retired(house)
    (risk,) = house.services.filling.fill_risks(ANALYST).added
    filled = house.services.filling.fill_risks(ANALYST)
    assert (filled.added, filled.refreshed) == ((), ())
    assert house.services.risks.show_risk(AUDITOR, risk.id)[0].state == "identified"


# taken up again


def test_a_later_scan_takes_it_up_again_without_a_new_deadline(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX)
    first = house.services.scans.list_findings(AUDITOR, FindingFilter(), PAGE).items
    due = {one.rule_id: one.due_at for one in first}
    retired(house)
    house.clock.advance(20 * 86_400)
    wish = NewScan("csv", table(OPENSSH, LOG4J), "内网", house.clock.now())
    scan, doubts = house.services.scans.import_scan(ANALYST, wish)
    assert [doubt.zh for doubt in doubts] == ["该范围曾停用,现恢复扫描"]
    assert (scan.added, scan.gone) == (1, 1)
    assert listed(house) == [
        ("CVE-2020-0001", "gone"),
        ("CVE-2021-44228", "open"),
        ("CVE-2024-6387", "open"),
    ]
    later = house.services.scans.list_findings(AUDITOR, FindingFilter(state="open"), PAGE).items
    assert {one.due_at for one in later if one.rule_id == "CVE-2024-6387"} == {due["CVE-2024-6387"]}
    assert facts(house)["retired_scopes"] == 0
    assert retired(house).id == scan.id


def test_what_the_scanner_was_told_to_suppress_is_open_again_and_not_gone(
    house: FindingsHouse,
) -> None:
    scans = house.services.scans
    scans.import_scan(ANALYST, NewScan("sarif", sarif(), "代码", house.clock.now()))
    retired(house, "代码")
    house.clock.advance(1)
    silenced = sarif(suppressions=[{"kind": "external"}])
    scans.import_scan(ANALYST, NewScan("sarif", silenced, "代码", house.clock.now()))
    assert listed(house) == [("r1", "open")]


def test_another_scanner_does_not_take_it_over(house: FindingsHouse) -> None:
    scanned(house, OPENSSH)
    retired(house)
    house.clock.advance(1)
    other = NewScan("sarif", sarif(), "内网", house.clock.now())
    with pytest.raises(OtherScanner):
        house.services.scans.import_scan(ANALYST, other)
    assert listed(house) == [("CVE-2024-6387", "retired")]


def test_retired_scopes_leave_room_for_others_within_a_bound(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_service, "_MAX_SCOPES", 1)
    monkeypatch.setattr(scan_service, "_MAX_EVER", 2)
    scanned(house, OPENSSH)
    with pytest.raises(TooManyKept):
        scanned(house, NGINX, scope="外网")
    retired(house)
    scanned(house, NGINX, scope="外网")
    with pytest.raises(TooManyKept):  # taking it up again would be one too many
        scanned(house, OPENSSH)
    retired(house, "外网")
    with pytest.raises(TooManyKept):
        scanned(house, LOG4J, scope="第三")


# what is shown


def test_scopes_are_listed_with_how_they_stand(house: FindingsHouse) -> None:
    scanned(house, OPENSSH, NGINX)
    scanned(house, LOG4J, scope="外网")
    retired(house)
    found = house.services.scans.list_scan_scopes(AUDITOR, "this")
    assert [(one.last.scope, one.standing, bool(one.last.retired_at)) for one in found] == [
        ("内网", 2, True),
        ("外网", 1, False),
    ]
    assert house.services.scans.list_scan_scopes(AUDITOR) == found
    assert house.services.scans.list_scan_scopes(STRANGER) == ()


def test_a_report_has_each_scope_with_its_scanner_and_why_it_was_given_up(
    house: FindingsHouse,
) -> None:
    scanned(house, OPENSSH)
    last = retired(house)
    scope = house.services.scans.desk.scopes.scope(AUDITOR, "this")
    (row,) = house.rectified.scan_rows(AUDITOR, scope, house.clock.now())
    assert (row["kind"], row["title"], row["scanner"]) == ("vuln.scan", "内网", last.scanner)
    assert (row["standing"], row["reason"], row["id"]) == (1, WHY, last.id)
    assert row["state"] == {"zh": "已停用", "en": "retired"}
    assert row["retired_at"] is not None
    for language, words in (("zh", ("已停用", "停用时间")), ("en", ("retired", "Retired"))):
        paper = paper_of({**report_document(), "records": [row]}, cast("Language", language))
        said = repr(
            [one.blocks for one in paper.chapters if "扫描" in one.heading or "scan" in one.heading]
        )
        for word in (*words, WHY, "内网"):
            assert word in said


def sarif(**more: Any) -> bytes:
    result = {
        "ruleId": "r1",
        "level": "error",
        "message": {"text": "SQL"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}}}],
        **more,
    }
    run = {"tool": {"driver": {"name": "s"}}, "results": [result]}
    return orjson.dumps({"version": "2.1.0", "runs": [run]})
