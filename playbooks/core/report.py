"""The incident report: one value, shown as JSON, Markdown, HTML or as tables to print.

Everything a person typed or a log said is escaped for the format it goes into.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from playbooks.core.gbt20986 import Classification
from playbooks.core.report_work import work_tables, work_value
from playbooks.models import INCIDENT_STATES
from playbooks.models.filings import DUTIES
from playbooks.models.reports import PrintedReport, ReportKind, Section
from playbooks.models.views import IncidentView
from secops.kernel.catalogue import Language, Text
from secops.kernel.clock import SECOND

_BEIJING: Final = timezone(timedelta(hours=8))
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")

_T: Final = {
    "title": Text("网络安全事件报告", "Cyber incident report"),
    "title_first": Text("网络安全事件首报", "First report of a cyber incident"),
    "unknown": Text(
        "尚未掌握,后续补报的要素(第七条)", "Not known yet, to be supplied later (article 7)"
    ),
    "filed": Text("已报送", "filed"),
    "drill": Text("(演练)", "(drill)"),
    "facts": Text("基本情况", "Facts"),
    "clocks": Text("法定时限", "Statutory deadlines"),
    "alerts": Text("关联告警与证据", "Alerts and evidence"),
    "runs": Text("处置过程", "Response"),
    "timeline": Text("时间线", "Timeline"),
    "items": Text("报告要素", "Items of the report"),
    "hash": Text("内容摘要", "Digest of the content"),
    "unset": Text("待填写", "to be filled in"),
    "no_limit": Text("未规定小时数", "no hours given"),
    "overdue": Text("已超时", "overdue"),
}


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What goes into a report."""

    view: IncidentView
    unit: str
    classification: Classification
    rule: Mapping[str, Any]
    made_at: int
    made_by: str
    kind: ReportKind = "full"


def beijing(instant: int | None) -> str:
    """Write ``instant`` in Beijing time with the offset; "" for None."""
    if instant is None:
        return ""
    moment = datetime.fromtimestamp(instant // SECOND, UTC).astimezone(_BEIJING)
    return moment.strftime("%Y-%m-%d %H:%M:%S +08:00")


def report_value(given: ReportInput) -> dict[str, Any]:
    """Return the report as a JSON value; what both other formats are made from."""
    view = given.view
    incident = asdict(view.incident)
    items = _items(given)
    return {
        "report": "incident",
        "kind": given.kind,
        "version": 3,
        "unit": given.unit,
        "made_at": given.made_at,
        "made_by": given.made_by,
        "incident": incident,
        "category": _names(given.classification, view.incident.category),
        "clocks": [asdict(clock) for clock in view.clocks],
        "alerts": [asdict(alert) for alert in view.alerts],
        "runs": [
            {
                "id": run.run.id,
                "playbook_id": run.run.plan.playbook_id,
                "content_hash": run.run.plan.content_hash,
                "plan_sha256": run.run.plan.sha256,
                "plan_sm3": run.run.plan.sm3,
                "state": run.run.state,
                "requester_id": run.run.requester_id,
                "approver_id": run.run.approver_id,
                "started_at": run.run.started_at,
                "finished_at": run.run.finished_at,
                "journal_sha256": run.journal_sha256,
                "steps": [
                    {
                        "path": step.path,
                        "name": step.name,
                        "action": step.action,
                        "targets": [target.target for target in step.targets],
                        "state": run.states[step.path],
                    }
                    for step in run.run.plan.steps
                ],
            }
            for run in view.runs
        ],
        **work_value(view.work),
        "timeline": [asdict(entry) for entry in view.timeline],
        "items": items,
        "unknown": [item["n"] for item in items if not item["text"]],
    }


def _names(classification: Classification, code: str) -> dict[str, str]:
    if not code:
        return {}
    named = classification.classes[code]
    parent = classification.classes.get(named.parent, named)
    return {"code": code, "zh": f"{parent.text.zh} / {named.text.zh}", "en": named.text.en}


def _items(given: ReportInput) -> list[dict[str, Any]]:
    """Return the reporting rule's items, filled where the incident knows the answer."""
    view = given.view
    incident = view.incident
    done = [
        step.name
        for run in view.runs
        for step in run.run.plan.steps
        if run.states[step.path] == "done"
    ]
    known = {
        1: given.unit,
        2: ";".join(
            part
            for part in (
                beijing(incident.discovered_at),
                _names(given.classification, incident.category).get("zh", ""),
                incident.reporting_level,
                "、".join(done),
            )
            if part
        ),
        4: incident.cause,
        5: ";".join(f"{kind} {value}" for kind, value in sorted(incident.subjects.items())),
    }
    return [
        {"n": item["n"], "zh": item["zh"], "en": item["en"], "text": known.get(item["n"], "")}
        for item in given.rule["items"]
    ]


def sections_of(value: Mapping[str, Any], language: Language) -> list[Section]:
    """Return the report's tables in ``language``.

    A first report holds what is known and names what isn't; a full one adds evidence,
    response and history.
    """
    shared = [_facts_section(value, language), _clocks(value, language), _known(value, language)]
    if value["kind"] == "first":
        return [*shared, _unknown(value, language)]
    work = [Section(*table) for table in work_tables(value, language)]
    done = [_alerts(value, language), _runs(value, language)]
    return [*shared, *done, *work, _timeline(value, language)]


def _section(
    language: Language,
    heading: str,
    columns: Text,
    rows: Iterable[tuple[str, ...]],
) -> Section:
    names = tuple(columns.into(language).split("|"))
    return Section(_T[heading].into(language), names, tuple(rows))


def _facts_section(value: Mapping[str, Any], language: Language) -> Section:
    return _section(language, "facts", Text("项目|内容", "Item|Value"), _facts(value, language))


def _clocks(value: Mapping[str, Any], language: Language) -> Section:
    rows = (
        (
            DUTIES[clock["name"]].into(language),
            "、".join(clock["to"]),
            _due(clock, language),
            clock["source"],
        )
        for clock in value["clocks"]
    )
    return _section(language, "clocks", Text("事项|对象|期限|依据", "What|To|Due|Source"), rows)


def _due(clock: Mapping[str, Any], language: Language) -> str:
    parts = [beijing(clock["due_at"]) or _T["no_limit"].into(language)]
    if clock["filed_at"] is not None:
        parts.append(f"{_T['filed'].into(language)} {beijing(clock['filed_at'])}")
    if clock["overdue"] or clock["late"]:
        parts.append(_T["overdue"].into(language))
    return " ".join(parts)


def _known(value: Mapping[str, Any], language: Language) -> Section:
    unset = _T["unset"].into(language)
    rows = ((str(each["n"]), each[language], each["text"] or unset) for each in value["items"])
    return _section(language, "items", Text("序号|要素|内容", "No|Item|Content"), rows)


def _unknown(value: Mapping[str, Any], language: Language) -> Section:
    rows = (
        (str(each["n"]), each[language]) for each in value["items"] if each["n"] in value["unknown"]
    )
    return _section(language, "unknown", Text("序号|要素", "No|Item"), rows)


def _alerts(value: Mapping[str, Any], language: Language) -> Section:
    rows = (
        (
            f"{alert['title']} ({alert['alert_id']})",
            alert["rule_id"],
            alert["severity"],
            str(alert["evidence_count"]),
            alert["evidence_sha256"],
        )
        for alert in value["alerts"]
    )
    columns = Text("告警|规则|级别|证据数|证据摘要 SHA-256", "Alert|Rule|Severity|Events|SHA-256")
    return _section(language, "alerts", columns, rows)


def _runs(value: Mapping[str, Any], language: Language) -> Section:
    rows = (
        (
            run["id"],
            step["name"],
            step["action"],
            "、".join(step["targets"]),
            step["state"],
            run["approver_id"] or "",
        )
        for run in value["runs"]
        for step in run["steps"]
    )
    columns = Text("运行|步骤|动作|目标|结果|审批人", "Run|Step|Action|Targets|Result|Approver")
    return _section(language, "runs", columns, rows)


def _timeline(value: Mapping[str, Any], language: Language) -> Section:
    rows = ((beijing(entry["at"]), entry["actor_id"], entry["text"]) for entry in value["timeline"])
    return _section(language, "timeline", Text("时间|人员|内容", "Time|Who|What"), rows)


def _facts(value: Mapping[str, Any], language: Language) -> tuple[tuple[str, ...], ...]:
    incident = value["incident"]
    zh = language == "zh"
    rows = [
        ("编号" if zh else "Id", incident["id"]),
        ("名称" if zh else "Title", incident["title"]),
        ("单位" if zh else "Unit", value["unit"]),
        ("状态" if zh else "State", INCIDENT_STATES[incident["state"]].into(language)),
        ("严重程度" if zh else "Severity", incident["severity"]),
        ("发现时间" if zh else "Discovered", beijing(incident["discovered_at"])),
        ("关闭时间" if zh else "Closed", beijing(incident["closed_at"])),
        ("GB/T 20986", value["category"].get(language, "")),
        ("事件级别" if zh else "Level", incident["level"]),
        ("报告级别" if zh else "Reporting level", incident["reporting_level"]),
        ("原因" if zh else "Cause", incident["cause"]),
    ]
    return tuple((name, text or _T["unset"].into(language)) for name, text in rows)


def title_of(value: Mapping[str, Any], language: Language) -> str:
    """Return the report's title; a drill says so."""
    drill = _T["drill"].into(language) if value["incident"]["drill"] else ""
    title = _T["title_first" if value["kind"] == "first" else "title"]
    return f"{title.into(language)}{drill}"


def to_print(
    value: Mapping[str, Any], digests: Mapping[str, str], language: Language
) -> PrintedReport:
    """Return the report as a printer takes it."""
    return PrintedReport(
        title=title_of(value, language),
        sections=tuple(sections_of(value, language)),
        digests=digests,
        digest_heading=_T["hash"].into(language),
        language=language,
        made_at=value["made_at"],
    )


def to_markdown(value: Mapping[str, Any], digests: Mapping[str, str], language: Language) -> str:
    """Return the report as Markdown."""
    lines = [f"# {title_of(value, language)}", ""]
    for section in sections_of(value, language):
        lines += [f"## {section.heading}", "", _row(section.columns, escape=False)]
        lines.append(_row(["---"] * len(section.columns), escape=False))
        lines += [_row(row) for row in section.rows]
        lines.append("")
    lines += [f"## {_T['hash'].into(language)}", ""]
    lines += [f"- {name}: `{digest}`" for name, digest in digests.items()]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str], *, escape: bool = True) -> str:
    if escape:
        cells = [_MARKDOWN.sub(r"\\\1", " ".join(cell.split())) for cell in cells]
    return f"| {' | '.join(cells)} |"


def to_html(value: Mapping[str, Any], digests: Mapping[str, str], language: Language) -> str:
    """Return the report as one HTML page without scripts, styles or links."""
    tag = "zh-CN" if language == "zh" else "en"
    title = html.escape(title_of(value, language))
    parts = [
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8"><title>{title}</title>',
        f"</head><body><h1>{title}</h1>",
    ]
    for section in sections_of(value, language):
        head = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in section.columns)
        parts.append(f'<h2>{html.escape(section.heading)}</h2><table border="1"><tr>{head}</tr>')
        for row in section.rows:
            cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
            parts.append(f"<tr>{cells}</tr>")
        parts.append("</table>")
    parts.append(f"<h2>{html.escape(_T['hash'].into(language))}</h2><ul>")
    parts += [f"<li>{name}: <code>{digest}</code></li>" for name, digest in digests.items()]
    parts.append("</ul></body></html>\n")
    return "\n".join(parts)
