"""What a report says of the work on an incident: tasks, evidence with digests, lessons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from playbooks.models import INCIDENT_STATES
from playbooks.models.incident_work import MEMBER_ROLES, OBSERVABLE_KINDS, TASK_STATES
from playbooks.models.views import IncidentWork
from secops.kernel.catalogue import Language, Text

Rows = tuple[tuple[str, ...], ...]
HEADINGS: Final = {
    "members": Text("参与人员", "People"),
    "tasks": Text("任务", "Tasks"),
    "observables": Text("可观察项", "Observables"),
    "evidence": Text("证据与保管链", "Evidence and its custody"),
    "lessons": Text("经验教训", "Lessons learned"),
}
_COLUMNS: Final = {
    "members": Text("人员|角色", "Person|Part"),
    "tasks": Text(
        "任务|阶段|负责人员|状态|完成人|结果", "Task|Phase|Assignee|State|Done by|Result"
    ),
    "observables": Text("种类|值", "Kind|Value"),
    "evidence": Text(
        "证据|大小(字节)|SHA-256|SM3|保管链|末环摘要",
        "Evidence|Bytes|SHA-256|SM3|Custody|Digest of the last link",
    ),
    "lessons": Text("内容", "Text"),
}


def work_value(work: IncidentWork) -> dict[str, Any]:
    """Return the work as part of the report's JSON value; chains by their signed records."""
    return {
        "members": [asdict(one) for one in work.members],
        "tasks": [asdict(one) for one in work.tasks],
        "observables": [asdict(one) for one in work.observables],
        "evidence": [
            {
                **{name: value for name, value in asdict(item).items() if name != "blob"},
                "custody": [
                    {"record": dict(link.record), "signature": asdict(link.signature)}
                    for link in work.links
                    if link.evidence_id == item.id
                ],
            }
            for item in work.evidence
        ],
    }


def work_tables(
    value: Mapping[str, Any], language: Language
) -> list[tuple[str, tuple[str, ...], Rows]]:
    """Return heading, columns and rows of each table that has something in it."""
    rows = {
        "members": _members(value, language),
        "tasks": _tasks(value, language),
        "observables": _observables(value, language),
        "evidence": _evidence(value),
        "lessons": tuple(
            (line,) for line in value["incident"]["lessons"].splitlines() if line.strip()
        ),
    }
    return [
        (HEADINGS[name].into(language), tuple(_COLUMNS[name].into(language).split("|")), found)
        for name, found in rows.items()
        if found
    ]


def _members(value: Mapping[str, Any], language: Language) -> Rows:
    return tuple((m["name"], MEMBER_ROLES[m["role"]].into(language)) for m in value["members"])


def _tasks(value: Mapping[str, Any], language: Language) -> Rows:
    return tuple(
        (
            task["title"],
            INCIDENT_STATES[task["phase"]].into(language),
            task["assignee_name"],
            TASK_STATES[task["state"]].into(language),
            task["done_by"],
            task["result"],
        )
        for task in value["tasks"]
    )


def _observables(value: Mapping[str, Any], language: Language) -> Rows:
    return tuple(
        (OBSERVABLE_KINDS[one["kind"]].into(language), one["value"]) for one in value["observables"]
    )


def _evidence(value: Mapping[str, Any]) -> Rows:
    return tuple(
        (
            f"{item['name']} ({item['id']})",
            str(item["size"]),
            item["sha256"],
            item["sm3"],
            " → ".join(link["record"]["receiver"] for link in item["custody"]),
            item["head"],
        )
        for item in value["evidence"]
    )
