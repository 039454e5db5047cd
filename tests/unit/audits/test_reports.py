"""Assess, enter, export, verify: over a real database, ledger and engines."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from audits.adapters.doors import SpineDoors
from audits.errors import ReportRejected, UnknownStandard
from audits.models import AuditsOptions
from audits.plane import install, open_report_files
from audits.ports import AuditsPorts
from audits.service import AuditsServices
from audits.service.assessments.entering import Judgement
from audits.service.reports.files import ReportFiles
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Forbidden, Invalid, NotFound, TooLarge
from secops.web.messages import Request
from secops.web.routes import Plane
from tests.fakes.evidence import FakeEvidence, FakeReportSigner
from tests.fakes.ledger import FakeSigner
from tests.fakes.parts import database_spine

AUDITOR = Actor("account", "acc_auditor", ROOT_ORG, "审计员甲", frozenset({"auditor"}), level=2)
ANALYST = Actor("account", "acc_analyst", ROOT_ORG, "分析员乙", frozenset({"analyst"}), level=2)


@dataclass
class Rig:
    plane: Plane
    services: AuditsServices
    evidence: FakeEvidence
    spine: Spine
    files: ReportFiles

    @property
    def vkeys(self) -> list[str]:
        return list(self.services.ledger.files.vkeys())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    spine = database_spine(tmp_path, clock=SystemClock())
    evidence = FakeEvidence()
    ports = AuditsPorts(
        doors=SpineDoors(spine.doors),
        signer=FakeSigner(),
        evidence=evidence,
        report_signer=FakeReportSigner(),
    )
    plane = install(spine.parts, ports, AuditsOptions(checkpoint_seconds=0.0))
    services = plane.services
    assert isinstance(services, AuditsServices)
    yield Rig(plane, services, evidence, spine, open_report_files())
    services.ledger.store.close()  # type: ignore[attr-defined]
    spine.close()


def export(rig: Rig, form: Any = "html") -> tuple[bytes, bytes]:
    made = rig.services.assessments.assess(AUDITOR, "gbt22239", 3)
    report = rig.services.reports.export_report(AUDITOR, made.id, form)
    return report.content, report.proof


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_report_proves_itself_from_key_to_page(rig: Rig, form: str) -> None:
    content, proof = export(rig, form)
    verified = rig.files.verify_report(content, proof, rig.vkeys)
    assert len(verified.signed_by) == 2
    assert verified.entry is not None
    assert rig.services.ledger.files.verify_ledger().valid


def test_a_report_names_the_high_risk_of_what_fails(rig: Rig) -> None:
    quiet = orjson.loads(export(rig, "json")[0])
    assert quiet["high_risks"] == []
    rig.evidence.facts["iam.users"]["default_accounts"] = 1
    (risk,) = orjson.loads(export(rig, "json")[0])["high_risks"]
    assert (risk["item"], risk["id"]) == ("L3-CES1-06", "6.4.2.1")


def test_an_unknown_algorithm_is_refused(rig: Rig) -> None:
    from audits.adapters.report_signatures import EngineReportVerifier  # noqa: PLC0415
    from audits.models.reports import ReportSignature  # noqa: PLC0415

    with pytest.raises(ReportRejected, match="unknown"):
        EngineReportVerifier().verify_report_signature(ReportSignature("none", "k", b"", b""), b"")


def test_only_an_auditor_assesses_and_exports(rig: Rig) -> None:
    made = rig.services.assessments.assess(AUDITOR, "gbt22239", 3)
    with pytest.raises(Forbidden):
        rig.services.assessments.assess(ANALYST, "gbt22239", 3)
    with pytest.raises(Forbidden):
        rig.services.reports.export_report(ANALYST, made.id, "html")
    with pytest.raises(Forbidden):
        rig.services.assessments.keep_document(ANALYST, b"x")
    with pytest.raises(UnknownStandard):
        rig.services.assessments.assess(AUDITOR, "gbt22239", 5)
    with pytest.raises(NotFound):
        rig.services.assessments.show_assessment(AUDITOR, "asm_unknown")


def test_a_named_persons_entry_counts_in_the_next_assessment(rig: Rig) -> None:
    service = rig.services.assessments
    digest = service.keep_document(AUDITOR, b"acceptance report")
    judgement = Judgement("L3-PES1-01", "compliant", "机房验收合格", "李四", digest)
    assert service.enter_judgement(AUDITOR, "gbt22239", judgement).person == "李四"
    made = service.assess(AUDITOR, "gbt22239", 3)
    (verdict,) = [v for v in made.verdicts if v.item.id == "L3-PES1-01"]
    assert (verdict.status, verdict.person) == ("compliant", "李四")
    assert made.coverage == (69, 211)


@pytest.mark.parametrize(
    "judgement",
    [
        Judgement("L3-CES1-16", "compliant", "r", "p"),
        Judgement("L3-PES1-01", "unassessed", "r", "p"),
        Judgement("L3-PES1-01", "compliant", " ", "p"),
        Judgement("L3-PES1-01", "compliant", "r", " "),
        Judgement("L3-PES1-01", "compliant", "r" * 2_001, "p"),
        Judgement("L3-PES1-01", "compliant", "r", "p", days=0),
        Judgement("L3-PES1-01", "compliant", "r", "p", days=367),
    ],
)
def test_a_judgement_without_sense_is_refused(rig: Rig, judgement: Judgement) -> None:
    with pytest.raises(Invalid):
        rig.services.assessments.enter_judgement(AUDITOR, "gbt22239", judgement)


def test_a_document_has_a_greatest_size(rig: Rig) -> None:
    with pytest.raises(TooLarge):
        rig.services.assessments.keep_document(AUDITOR, bytes((20 << 20) + 1))


def test_the_page_never_calls_itself_an_assessors_report(rig: Rig) -> None:
    made = rig.services.assessments.assess(AUDITOR, "gbt22239", 3)
    for language in ("zh", "en"):
        page = rig.services.reports.export_report(AUDITOR, made.id, "html", language)
        text = page.content.decode()
        assert ("自查/差距分析报告" in text) == (language == "zh")
        assert text.count("等级测评报告") == text.count("不是等级测评报告")
        assert "68 / 211" in text
        for claim in ("通过认证", "合规认证"):
            assert claim not in text


def ask(rig: Rig, method: str, path: str, body: Any = None, query: str = "") -> Any:
    for route in rig.plane.routes:
        parts, wanted = path.split("/"), route.path.split("/")
        fits = len(parts) == len(wanted) and all(
            one == other or other.startswith("<") for one, other in zip(parts, wanted, strict=True)
        )
        if route.method == method and fits:
            args = {
                other.strip("<>"): one
                for one, other in zip(parts, wanted, strict=True)
                if other.startswith("<")
            }
            request = Request(
                method, path, query, {}, orjson.dumps(body or {}), args, actor=AUDITOR
            )
            return orjson.loads(route.handler(request).body)
    raise AssertionError(path)


def test_the_api_assesses_lists_shows_enters_and_exports(rig: Rig) -> None:
    base = "/api/v1/audits/assessments"
    made = ask(rig, "POST", base, {"level": 3})
    assert made["coverage"] == {"judged": 68, "applicable": 211}
    listed = ask(rig, "GET", base)
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert ask(rig, "GET", f"{base}/{made['id']}") == made
    time.sleep(0.002)
    second = ask(rig, "POST", base, {"level": 2})
    first_page = ask(rig, "GET", base, query="limit=1")
    assert [item["id"] for item in first_page["items"]] == [second["id"]]
    rest = ask(rig, "GET", base, query=f"limit=1&cursor={first_page['next']}")
    assert [item["id"] for item in rest["items"]] == [made["id"]]
    entered = ask(
        rig,
        "POST",
        "/api/v1/audits/judgements",
        {"item": "L3-PES1-01", "status": "partial", "reason": "r", "person": "p"},
    )
    assert entered["id"].startswith("ent_")
    report = ask(rig, "POST", f"{base}/{made['id']}/report", {"format": "json"})
    content, proof = (base64.b64decode(report[name]) for name in ("content", "proof"))
    assert rig.files.verify_report(content, proof, rig.vkeys).assessment_id == made["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/audits/assessments", {"level": "3"}),
        ("/api/v1/audits/assessments", {"standard": 3}),
        ("/api/v1/audits/judgements", {"item": "L3-PES1-01"}),
        (
            "/api/v1/audits/judgements",
            {"item": "x", "status": "partial", "reason": "r", "person": "p", "days": "9"},
        ),
        ("/api/v1/audits/assessments/asm_1/report", {"format": "exe"}),
        ("/api/v1/audits/assessments/asm_1/report", {"language": "tlh"}),
        ("/api/v1/audits/reports/verification", {"content": "YQ", "proof": ""}),
        ("/api/v1/audits/reports/verification", {"content": "报告", "proof": ""}),
        ("/api/v1/audits/reports/finding", {"content": "", "proof": "é", "item": "x"}),
    ],
)
def test_the_api_refuses_what_has_no_sense(rig: Rig, path: str, body: Any) -> None:
    with pytest.raises(Invalid):
        ask(rig, "POST", path, body)


def test_without_a_checkpoint_the_report_has_no_ledger_proof(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audits.service.reports.sealing._PATIENCE_SECONDS", 0.0)
    rig.services.reports.tools.sealing.sequencer._parts.signer.locked = True
    content, proof = export(rig)
    assert orjson.loads(proof)["ledger_proof"] is None
    with pytest.raises(ReportRejected, match="ledger's proof fails"):
        rig.files.verify_report(content, proof, ["x"])
