"""The document of an assessment, the proof of a report, and its verification."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from audits.errors import ReportRejected
from audits.models.compliance import (
    STATUSES,
    Assessment,
    Observation,
    ReportSignature,
    Snapshot,
    Verdict,
)
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.clock import to_rfc3339

TITLE: Final = Text(
    "网络安全等级保护 自查/差距分析报告", "Graded protection: self-check and gap analysis"
)
DISCLAIMER: Final = Text(
    "本报告由系统运营者依据 GB/T 22239-2019 自行核查生成,不是等级测评报告,不作任何认定。",
    "Made by the operator's own check against GB/T 22239-2019; it is no assessor's report.",
)
PURPOSE: Final = "govsecops report v1"
_PROOF_KIND: Final = "govsecops-report-proof"


def document_of(assessment: Assessment) -> dict[str, Any]:
    """Return ``assessment`` as a JSON object; instants as RFC 3339, fractions as texts."""
    return {
        "v": 1,
        "title": _both(TITLE),
        "disclaimer": _both(DISCLAIMER),
        "id": assessment.id,
        "standard": assessment.standard,
        "edition": assessment.edition,
        "level": assessment.level,
        "system": assessment.system_id,
        "made_at": to_rfc3339(assessment.made_at),
        "made_by": assessment.made_by,
        "items": [_item(verdict, assessment.level) for verdict in assessment.verdicts],
        "counts": dict(assessment.counts),
        "rate": {
            "strict": _fraction(assessment.rate.strict),
            "weighted": _fraction(assessment.rate.weighted),
            "label": "推算",
        },
        "score": assessment.score,
        "conclusion": _both(assessment.conclusion) if assessment.conclusion else None,
        "high_risks": [_risk(verdict) for verdict in assessment.high_risks],
        "coverage": {"judged": assessment.coverage[0], "applicable": assessment.coverage[1]},
        "notes": [_both(note) for note in assessment.notes],
        "facts": dict(assessment.facts),
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _fraction(share: tuple[int, int]) -> str:
    return f"{share[0]}/{share[1]}"


def _item(verdict: Verdict, level: int) -> dict[str, Any]:
    item = verdict.item
    return {
        "id": item.id,
        "class": item.class_title,
        "class_code": item.class_code,
        "control_point": _both(item.control_point),
        "clause": item.clause.get(level),
        "requirement": _both(item.requirement),
        "status": verdict.status,
        "status_zh": STATUSES[verdict.status].zh,
        "judge": verdict.judge,
        "proposed": verdict.proposed,
        "person": verdict.person,
        "judged_at": to_rfc3339(verdict.judged_at) if verdict.judged_at else None,
        "reason": _both(verdict.reason),
        "observations": [_observation(seen) for seen in verdict.observations],
        "evidence": [evidence_of(snapshot) for snapshot in verdict.evidence],
    }


def _observation(seen: Observation) -> dict[str, Any]:
    return {"fact": seen.fact, "expected": seen.expected, "seen": seen.seen, "ok": seen.ok}


def evidence_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot's reference: kind, origin, instant and digest."""
    return {
        "kind": snapshot.kind,
        "origin": snapshot.origin,
        "taken_at": to_rfc3339(snapshot.taken_at),
        "sha256": snapshot.digest,
    }


def _risk(verdict: Verdict) -> dict[str, Any]:
    return {
        "item": verdict.item.id,
        "cases": [
            {
                "id": case.id,
                "trigger": _both(case.trigger),
                "only_if": case.only_if,
                "may_lower": case.may_lower,
                "state": "待人工判定" if case.only_if else "高风险(可缓解)",
            }
            for case in verdict.high_risk
        ],
    }


def snapshot_content(snapshot: Snapshot) -> bytes:
    """Return the bytes that a snapshot is kept under by their SHA-256."""
    return canonical(
        {
            "v": 1,
            "kind": snapshot.kind,
            "facts": dict(snapshot.facts),
            "origin": snapshot.origin,
            "taken_at": snapshot.taken_at,
        }
    )


def signed_message(claims: Mapping[str, Any]) -> bytes:
    """Return the bytes that a report's signatures are over."""
    return canonical({"purpose": PURPOSE, **claims})


def claims_of(content: bytes, sm3: str, assessment_id: str, issued_at: int) -> dict[str, Any]:
    """Return what a report's proof claims of ``content`` (``sm3`` is its digest, hex)."""
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3,
        "length": len(content),
        "assessment": assessment_id,
        "issued_at": to_rfc3339(issued_at),
    }


def build_proof(
    claims: Mapping[str, Any],
    signatures: tuple[ReportSignature, ...],
    record: bytes,
    ledger_proof: str | None,
) -> bytes:
    """Return the content of ``FILE.proof``: claims, signatures, ledger record and proof."""
    return canonical(
        {
            "v": 1,
            "kind": _PROOF_KIND,
            "claims": dict(claims),
            "signatures": [
                {
                    "algorithm": signature.algorithm,
                    "key": signature.key,
                    "public_key": base64.b64encode(signature.public_key).decode(),
                    "signature": base64.b64encode(signature.signature).decode(),
                }
                for signature in signatures
            ],
            "record": base64.b64encode(record).decode(),
            "ledger_proof": ledger_proof,
        }
    )


def read_signatures(proof: Mapping[str, Any]) -> tuple[ReportSignature, ...]:
    """Return the signatures in a parsed ``proof``; raise ``ReportRejected`` if malformed."""
    try:
        if proof["v"] != 1 or proof["kind"] != _PROOF_KIND:
            raise ReportRejected("the proof is of an unknown kind")
        return tuple(
            ReportSignature(
                algorithm=str(entry["algorithm"]),
                key=str(entry["key"]),
                public_key=base64.b64decode(entry["public_key"], validate=True),
                signature=base64.b64decode(entry["signature"], validate=True),
            )
            for entry in proof["signatures"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReportRejected("the proof is malformed") from error


def check_claims(proof: Mapping[str, Any], content: bytes, sm3: str) -> Mapping[str, Any]:
    """Return the claims if they fit ``content``; raise ``ReportRejected`` otherwise."""
    claims = proof.get("claims")
    if not isinstance(claims, dict):
        raise ReportRejected("the proof claims nothing")
    expected = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3,
        "length": len(content),
    }
    for name, value in expected.items():
        if claims.get(name) != value:
            raise ReportRejected(f"the report was changed: its {name} differs")
    return claims


def check_record(record: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Raise ``ReportRejected`` unless the ledger's record is about this very report."""
    details = record.get("details")
    target = f"report:{claims['sha256']}"
    if (
        record.get("action") != "audits.export_report"
        or record.get("outcome") != "done"
        or record.get("target") != target
        or not isinstance(details, dict)
        or details.get("sm3") != claims["sm3"]
    ):
        raise ReportRejected("the ledger's record is about something else")
