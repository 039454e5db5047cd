"""Renders an assessment's document as one self-contained HTML page, printable on A4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from audits.models.compliance import STATUSES
from secops.kernel.catalogue import Language

_LABELS: Final[Mapping[str, Mapping[Language, str]]] = {
    "summary": {"zh": "概要", "en": "Summary"},
    "system": {"zh": "核查对象", "en": "Object"},
    "this": {"zh": "本平台实例", "en": "this instance"},
    "level": {"zh": "级别", "en": "Level"},
    "edition": {"zh": "依据", "en": "Against"},
    "made": {"zh": "生成", "en": "Made"},
    "coverage": {"zh": "核查覆盖", "en": "Coverage"},
    "rate": {"zh": "符合率(推算,严格 / 加权)", "en": "Rate (estimate, strict / weighted)"},
    "conclusion": {"zh": "结论", "en": "Conclusion"},
    "none": {
        "zh": "尚有未核查项,不给出结论",
        "en": "items are not assessed yet: no conclusion is given",
    },
    "classes": {"zh": "各类情况", "en": "By class"},
    "high": {"zh": "可能的高风险", "en": "Possible high risks"},
    "no_high": {
        "zh": "未发现与高风险判例对应的不符合项。",
        "en": "No failing item has a high-risk case.",
    },
    "gaps": {"zh": "差距", "en": "Gaps"},
    "records": {"zh": "单项记录", "en": "Item records"},
    "number": {"zh": "编号", "en": "Id"},
    "point": {"zh": "控制点", "en": "Control point"},
    "requirement": {"zh": "要求(释义)", "en": "Requirement (paraphrase)"},
    "status": {"zh": "结果", "en": "Result"},
    "reason": {"zh": "依据与说明", "en": "Why"},
    "evidence": {"zh": "证据", "en": "Evidence"},
    "judge": {"zh": "判定", "en": "Judged by"},
    "machine": {"zh": "机器", "en": "machine"},
    "proposed": {"zh": "机器(待人员确认)", "en": "machine (a person confirms)"},
    "nobody": {"zh": "—", "en": "—"},
    "notes": {"zh": "说明", "en": "Notes"},
    "proof": {
        "zh": "本文件的真实性由同名 .proof 文件证明: secops audits verify-report 文件",
        "en": "The .proof file beside it proves this file: secops audits verify-report FILE",
    },
}


class HtmlReports:
    """Implements ``audits.ports.ReportRenderer``."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("audits.adapters", "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render_html(self, document: Mapping[str, Any], language: Language) -> bytes:
        """Return the page of ``document`` in ``language``."""
        items = document["items"]
        classes: dict[str, dict[str, int]] = {}
        for item in items:
            row = classes.setdefault(item["class"], dict.fromkeys(document["counts"], 0))
            row[item["status"]] += 1
        page = self._environment.get_template("report.html").render(
            document=document,
            language=language,
            label={name: texts[language] for name, texts in _LABELS.items()},
            classes=classes,
            gaps=[item for item in items if item["status"] in ("partial", "noncompliant")],
            statuses={status: text.into(language) for status, text in STATUSES.items()},
        )
        return page.encode()
