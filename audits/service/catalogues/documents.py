"""Items of standards as JSON, for every face."""

from __future__ import annotations

from typing import Any

from audits.models.catalogue import HighRiskCase, Item, ItemView
from secops.kernel.catalogue import in_both


def item_document(item: Item) -> dict[str, Any]:
    """Return an item; texts in both languages, what goes by level under ``1`` to ``4``."""
    return {
        "id": item.id,
        "class": item.class_code,
        "class_title": {"zh": item.class_title, "en": item.class_title_en},
        "control_point": in_both(item.control_point),
        "requirement": in_both(item.requirement),
        "levels": {
            str(level): {
                "id": item.id_at(level),
                "official": item.is_official_at(level),
                "clause": item.clause.get(level),
                "differs": level in item.differs_at,
                "weight": f"{float(item.weight_at(level)):g}",
                "strength": item.strength.get(level),
            }
            for level in item.levels
        },
        "sag": item.sag,
        "assess": item.assess,
        "extension": item.extension,
        "evidence": list(item.evidence),
    }


def item_view_document(view: ItemView) -> dict[str, Any]:
    """Return an item with all it is connected with."""
    return {
        **item_document(view.item),
        "standard": view.standard,
        "edition": view.edition,
        "checked": bool(view.asked),
        "asked": [
            {
                "object": each.object_kind,
                "fact": each.fact,
                "expected": each.expected,
                "fatal": each.fatal,
            }
            for each in view.asked
        ],
        "evidence": [
            {"kind": each.id, "form": each.form, "what": in_both(each.what)}
            for each in view.evidence
        ],
        "rules": list(view.rules),
        "documents": [
            {"id": each.id, "title": in_both(each.title), "valid_months": each.valid_months}
            for each in view.documents
        ],
        "cases": [_case(each) for each in view.cases],
        "triggers": [{"id": each.id, "trigger": in_both(each.trigger)} for each in view.triggers],
        "doubts": [in_both(doubt) for doubt in view.doubts],
    }


def _case(case: HighRiskCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "min_level": case.min_level,
        "trigger": in_both(case.trigger),
        "only_if": in_both(case.only_if) if case.only_if else None,
        "may_lower": in_both(case.may_lower) if case.may_lower else None,
        "never_lowered_if": in_both(case.never) if case.never else None,
        "doubts": [in_both(doubt) for doubt in case.doubts],
    }
