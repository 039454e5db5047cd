"""OSCAL plan of action and milestones: an item for every task, and for every gap without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audits.core.oscal.parts import Oscal, filled, identifier, metadata, prop, props, said
from audits.core.oscal.results import risk_of, risks_about
from audits.models.assessments import FAILING

Document = Mapping[str, Any]


def plan_of_action_of(document: Document) -> Oscal:
    """Return what is to be mended, as OSCAL; a report without gaps says so in one item."""
    items = [*_tasks(document), *_gaps(document)]
    return {
        "plan-of-action-and-milestones": filled(
            {
                "uuid": identifier(document, "plan-of-action"),
                "metadata": metadata(document, f"整改计划 / Plan of action: {document['id']}"),
                "system-id": {"id": said(document["system"]["id"])},
                "risks": [risk_of(document, risk) for risk in document["high_risks"]],
                "poam-items": items or [_nothing(document)],
            }
        )
    }


def _tasks(document: Document) -> Iterator[Oscal]:
    for task in document["tasks"]:
        item, title = str(task.get("item") or ""), said(task.get("title") or task["id"])
        others = (
            (name, value)
            for name, value in task.items()
            if name not in ("title", "item") and isinstance(value, str | int)
        )
        yield _poam_item(
            document,
            ("task", task["id"]),
            item,
            title=title,
            words=title,
            values=[*others],
        )


def _gaps(document: Document) -> Iterator[Oscal]:
    planned = {task.get("item") for task in document["tasks"]}
    for item in document["items"]:
        if item["status"] in FAILING and item["id"] not in planned:
            yield _poam_item(
                document,
                ("gap", item["id"]),
                item["id"],
                title=f"{item['id']} {said(item['control_point'])}",
                words=said(item["requirement"]),
                values=[("status", item["status"]), ("task", "none")],
            )


def _poam_item(  # noqa: PLR0913 - the fields of one entry
    document: Document,
    names: tuple[object, ...],
    item: str,
    *,
    title: str,
    words: str,
    values: list[tuple[str, object]],
) -> Oscal:
    known = any(each["id"] == item for each in document["items"])
    return filled(
        {
            "uuid": identifier(document, "poam", *names),
            "title": title,
            "description": words,
            "props": props([("item", item), *values]),
            "related-findings": (
                [{"finding-uuid": identifier(document, "finding", item)}] if known else []
            ),
            "related-risks": risks_about(document, item),
        }
    )


def _nothing(document: Document) -> Oscal:
    return {
        "uuid": identifier(document, "poam", "nothing"),
        "title": "没有差距 / no gaps",
        "description": "No item that was judged fails; see the coverage of the results.",
        "props": [prop("judged", document["coverage"]["judged"])],
    }
