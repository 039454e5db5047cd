"""The fields that an office's own template may name: a document as plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.adapters.rendering import whole
from audits.adapters.rendering.items import (
    evidence_line,
    evidence_of,
    judge_of,
    objects_of,
    observation_line,
    record_of,
)
from audits.adapters.rendering.look import MAX_ROWS, Look, day_of, lines, share
from audits.adapters.rendering.outline import paper_of
from audits.adapters.rendering.paper import Figure, Paper
from audits.adapters.rendering.plain_values import plain_paper
from audits.adapters.rendering.registers import kind_of
from audits.models.assessments import FAILING, STATUSES

_REGISTERS: Final = ("tasks", "waivers", "risks", "records")


def fields_of(look: Look) -> dict[str, Any]:
    """Return every field by its name: texts, lists of rows, and the chapters of the report."""
    items = [_item(look, item) for item in look["items"]]
    return {
        "disclaimer": look.text(look["disclaimer"]),
        "document_id": look.text(look["id"]),
        "standard": look.text(look["standard"]),
        "edition": look.text(look["edition"]),
        "level": str(look["level"]),
        "system": _system(look),
        "made_at": str(look["made_at"]),
        "made_by": look.text(look["made_by"]),
        "estimate": look.word("estimate"),
        **_figures(look),
        "classes": [_class(look, one, items) for one in look["classes"]],
        "items": items,
        "gaps": [item for item in items if item["status_code"] in FAILING],
        "not_applicable": [item for item in items if item["status_code"] == "not_applicable"],
        "high_risks": [_high_risk(look, risk) for risk in look["high_risks"]],
        "majors": [_major(look, one) for one in look["majors"]["items"]],
        "assets": [_asset(look, asset) for asset in look["assets"]],
        "calculations": [_calculation(look, one) for one in look["calculations"]],
        "changes": _changes(look),
        **{name: _rows(look, look[name]) for name in _REGISTERS},
        "notes": [look.text(note) for note in look["notes"]],
        **_paper(paper_of(look.document, look.language)),
    }


def _system(look: Look) -> dict[str, str]:
    system = look["system"]
    texts = ("id", "sag", "filing_number", "owner", "domain", "data_grade")
    return {
        "name": whole.system_name(look),
        "filed_at": day_of(system["filed_at"]),
        **{name: look.text(system[name]) for name in texts},
    }


def _figures(look: Look) -> dict[str, Any]:
    rate, coverage = look["rate"], look["coverage"]
    return {
        "kinds": {name: str(number) for name, number in look["kinds"].items()},
        "judged_by": {name: str(number) for name, number in look["judged_by"].items()},
        "counts": {status: str(look["counts"][status]) for status in STATUSES},
        "coverage": whole.coverage_of(look, coverage),
        "rate": {"strict": share(rate["strict"]), "weighted": share(rate["weighted"])},
        "majors_count": whole.majors_of(look),
        "conclusion": whole.conclusion_of(look),
    }


def _class(
    look: Look, one: Mapping[str, Any], items: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    members = zip(look["items"], items, strict=True)
    return {
        "code": look.text(one["code"]),
        "title": look.text(one["title"]),
        "counts": {status: str(one["counts"][status]) for status in STATUSES},
        "judged": str(one["judged"]),
        "applicable": str(one["applicable"]),
        "rate": share(one["rate"]),
        "items": [said for item, said in members if item["class_code"] == one["code"]],
    }


def _item(look: Look, item: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": look.ids(item["id"]),
        "clause": look.text(item["clause"]),
        "class_title": look.text(item["class"]),
        "control_point": look.text(item["control_point"]),
        "requirement": look.text(item["requirement"]),
        "assess": look.word(item["assess"]),
        "status": look.status(item["status"]),
        "status_code": look.text(item["status"]),
        "value": look.text(item["value"]),
        "reason": look.text(item["reason"]),
        "objects": objects_of(look, item),
        "record": record_of(look, item),
        "observations": lines(*(observation_line(look, seen) for seen in item["observations"])),
        "evidence": lines(*(evidence_line(look, each) for each in evidence_of(item))),
        "judge": judge_of(look, item),
        "tasks": look.text(item["tasks"]),
        "waiver": look.fields(item["waiver"] or {}),
    }


def _high_risk(look: Look, risk: Mapping[str, Any]) -> dict[str, str]:
    names = ("id", "trigger", "reason", "only_if", "may_lower", "confirmed_by")
    return {
        "item": look.ids(risk["item"]),
        "state": look.state(risk),
        **{name: look.text(risk[name]) for name in names},
    }


def _major(look: Look, one: Mapping[str, Any]) -> dict[str, str]:
    names = ("trigger", "reason", "confirmed_by")
    return {
        "items": look.ids(one["items"]),
        "state": look.state(one),
        **{name: look.text(one[name]) for name in names},
    }


def _asset(look: Look, asset: Mapping[str, Any]) -> dict[str, str]:
    names = ("name", "address", "importance", "department", "place", "data_grade", "evidence")
    return {
        "kind": kind_of(look, asset["kind"]),
        **{name: look.text(asset[name]) for name in names},
    }


def _calculation(look: Look, one: Mapping[str, Any]) -> dict[str, str]:
    return {
        "edition": look.text(one["edition"]),
        "title": look.text(one["title"]),
        "applies": look.text(one["applies"]),
        "figures": look.text(one["figures"]),
        "conclusion": look.text(one["conclusion"]),
        "parameters": look.text(one["parameters"]),
        "doubts": lines(*(look.text(doubt) for doubt in one["doubts"])),
    }


def _changes(look: Look) -> list[dict[str, str]]:
    changed = look["delta"]
    return [
        {
            "item": look.ids(each["id"]),
            "before": look.status(each["before"]),
            "after": look.status(each["after"]),
        }
        for each in (changed or {"items": ()})["items"]
    ]


def _rows(look: Look, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of a register: ``id``, ``item``, and all they say as ``text``."""
    return [
        {
            "id": look.text(row.get("id")),
            "item": look.ids(row.get("item")),
            "text": look.fields(row),
        }
        for row in rows[:MAX_ROWS]
    ]


def _paper(paper: Paper) -> dict[str, Any]:
    """Return the chapters, and the charts by their names."""
    blocks = [block for chapter in paper.chapters for block in chapter.blocks]
    drawn = {block.name: block.svg for block in blocks if isinstance(block, Figure)}
    return {
        **plain_paper(paper),
        "radar": drawn.get("radar", ""),
        "trend": drawn.get("trend", ""),
    }
