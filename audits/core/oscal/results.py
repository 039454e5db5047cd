"""OSCAL assessment results: a finding for every item, an observation for every piece of evidence.

OSCAL knows two states. 部分符合 and 不符合 are both ``not-satisfied`` with the reason ``fail``,
未核查 is ``not-satisfied`` with the reason ``other``; our own property tells them apart. 不适用 is
an excluded control, with its reason in the selection's remarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audits.core.oscal.parts import (
    Oscal,
    filled,
    identifier,
    import_target,
    metadata,
    props,
    said,
    token,
)

_REASONS: Final = {"compliant": "pass", "partial": "fail", "noncompliant": "fail"}
_METHODS: Final = {"auto": "TEST", "semi": "EXAMINE", "manual": "INTERVIEW"}
_OPEN: Final = ("pending", "high", "high_lowerable")

Document = Mapping[str, Any]


def assessment_results_of(document: Document) -> Oscal:
    """Return the document of an assessment as OSCAL assessment results."""
    reference, resource = import_target(document, "plan")
    return {
        "assessment-results": {
            "uuid": identifier(document, "results"),
            "metadata": metadata(document, said(document["title"])),
            "import-ap": reference,
            "results": [_result(document)],
            "back-matter": {"resources": [resource]},
        }
    }


def _result(document: Document) -> Oscal:
    return filled(
        {
            "uuid": identifier(document, "result"),
            "title": said(document["title"]),
            "description": said(document["disclaimer"]),
            "start": document["made_at"],
            "end": document["made_at"],
            "props": props(
                [
                    ("estimate-rate-strict", document["rate"]["strict"]),
                    ("estimate-rate-weighted", document["rate"]["weighted"]),
                    ("judged", document["coverage"]["judged"]),
                    ("applicable", document["coverage"]["applicable"]),
                    *((f"count-{name}", number) for name, number in document["counts"].items()),
                    *((f"kind-{name}", number) for name, number in document["kinds"].items()),
                ]
            ),
            "local-definitions": _definitions(document),
            "reviewed-controls": {"control-selections": [_selection(document)]},
            "observations": list(_observations(document)),
            "risks": [risk_of(document, risk) for risk in document["high_risks"]],
            "findings": [
                _finding(document, item)
                for item in document["items"]
                if item["status"] != "not_applicable"
            ],
        }
    )


def _definitions(document: Document) -> Oscal | None:
    items = [
        {
            "uuid": identifier(document, "asset", asset["id"]),
            "description": said(asset["name"]),
            "props": props(
                [
                    ("asset-id", asset["id"]),
                    ("kind", asset["kind"]),
                    ("address", asset["address"]),
                    ("importance", asset["importance"]),
                    ("department", asset["department"]),
                    ("place", asset["place"]),
                ]
            ),
        }
        for asset in document["assets"]
    ]
    return {"inventory-items": items} if items else None


def _selection(document: Document) -> Oscal:
    out = [item for item in document["items"] if item["status"] == "not_applicable"]
    inside = [item for item in document["items"] if item["status"] != "not_applicable"]
    remarks = "\n\n".join(f"{item['id']}: {said(item['reason'])}" for item in out)
    # the schema wants one or the other: where nothing is left, all are included and excluded
    included: Oscal = (
        {"include-controls": [{"control-id": token(item["id"])} for item in inside]}
        if inside
        else {"include-all": {}}
    )
    return included | filled(
        {
            "exclude-controls": [{"control-id": token(item["id"])} for item in out],
            "remarks": remarks,
        }
    )


def _finding(document: Document, item: Mapping[str, Any]) -> Oscal:
    status = item["status"]
    state = {
        "state": "satisfied" if status == "compliant" else "not-satisfied",
        "reason": _REASONS.get(status, "other"),
    }
    return filled(
        {
            "uuid": identifier(document, "finding", item["id"]),
            "title": f"{item['id']} {said(item['control_point'])}",
            "description": said(item["reason"]),
            "props": props(
                [
                    ("item", item["id"]),
                    ("status", status),
                    ("clause", item["clause"]),
                    ("id-is-official", str(item["official_id"]).lower()),
                    ("judge", item["judge"]),
                    ("proposed", str(item["proposed"]).lower()),
                    ("person", item["person"]),
                    ("value", item["value"]),
                ]
            ),
            "target": {
                "type": "objective-id",
                "target-id": token(item["id"]),
                "title": said(item["requirement"]),
                "status": state,
            },
            "related-observations": [
                {"observation-uuid": identifier(document, "observation", digest)}
                for digest in seen_for(item)
            ],
            "related-risks": risks_about(document, item["id"]),
        }
    )


def risks_about(document: Document, item: str) -> list[Oscal]:
    """Return references to the high-risk cases of an item."""
    return [
        {"risk-uuid": identifier(document, "risk", risk["item"], risk["id"])}
        for risk in document["high_risks"]
        if risk["item"] == item
    ]


def seen_for(item: Mapping[str, Any]) -> list[str]:
    """Return the digests of the evidence of an item and its objects, each once."""
    return list(dict.fromkeys(each["sha256"] for each in _evidence(item)))


def _evidence(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from item["evidence"]
    for one in item["objects"]:
        yield from one["evidence"]


def _observations(document: Document) -> Iterator[Oscal]:
    """Yield an observation for every snapshot, once, with the method of the first item."""
    done: set[str] = set()
    for item in document["items"]:
        for each in _evidence(item) if item["status"] != "not_applicable" else ():
            if each["sha256"] not in done:
                done.add(each["sha256"])
                yield _observation(document, item, each)


def _observation(document: Document, item: Mapping[str, Any], each: Mapping[str, Any]) -> Oscal:
    origin = each["origin"]
    subject = (
        [
            {
                "subject-uuid": identifier(document, "asset", each["object"]),
                "type": "inventory-item",
            }
        ]
        if any(asset["id"] == each["object"] for asset in document["assets"])
        else []
    )
    return filled(
        {
            "uuid": identifier(document, "observation", each["sha256"]),
            "description": said(each["kind"]),
            "props": props(
                [
                    ("kind", each["kind"]),
                    ("object", each["object"]),
                    ("source", origin["source"]),
                    ("version", origin["version"]),
                ]
            ),
            "methods": [_METHODS[item["assess"]]],
            "types": ["finding"],
            "subjects": subject,
            "relevant-evidence": [
                {
                    "description": said(origin["query"] or each["kind"]),
                    "props": props([("sha256", each["sha256"]), ("raw-sha256", origin["raw"])]),
                }
            ],
            "collected": each["taken_at"],
        }
    )


def risk_of(document: Document, risk: Mapping[str, Any]) -> Oscal:
    """Return a high-risk case that a failing item may be."""
    lowering = risk["may_lower"]
    factors = (
        [
            {
                "uuid": identifier(document, "factor", risk["item"], risk["id"]),
                "description": said(lowering),
            }
        ]
        if lowering
        else []
    )
    return filled(
        {
            "uuid": identifier(document, "risk", risk["item"], risk["id"]),
            "title": f"{risk['id']} {said(risk['trigger'])}".strip(),
            "description": said(risk["reason"]),
            "statement": said(risk["trigger"]),
            "props": props(
                [
                    ("item", risk["item"]),
                    ("state", risk["code"]),
                    ("confirmed-by", risk["confirmed_by"]),
                ]
            ),
            "status": "open" if risk["code"] in _OPEN else "closed",
            "mitigating-factors": factors,
        }
    )
