"""The forms a report is written in: names, suffixes and media types, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

Form = Literal["html", "json", "pdf", "docx", "xlsx", "oscal", "oscal-poam"]
_OPEN_XML: Final = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class FormKind:
    """How a form is named to people, to file systems and to browsers.

    ``template`` is the suffix of the template that an office may give for it; "" for none.
    """

    title: Text
    suffix: str
    media_type: str
    template: str = ""


FORMS: Final[Mapping[Form, FormKind]] = {
    "html": FormKind(Text("网页", "Page"), "html", "text/html; charset=utf-8", template="html"),
    "pdf": FormKind(Text("PDF", "PDF"), "pdf", "application/pdf", template="typ"),
    "docx": FormKind(
        Text("Word 文档", "Word document"),
        "docx",
        f"{_OPEN_XML}.wordprocessingml.document",
        template="docx",
    ),
    "xlsx": FormKind(
        Text("Excel 工作簿", "Excel workbook"), "xlsx", f"{_OPEN_XML}.spreadsheetml.sheet"
    ),
    "json": FormKind(Text("JSON", "JSON"), "json", "application/json"),
    "oscal": FormKind(
        Text("OSCAL 评估结果", "OSCAL assessment results"), "oscal.json", "application/json"
    ),
    "oscal-poam": FormKind(
        Text("OSCAL 整改计划", "OSCAL plan of action"), "oscal-poam.json", "application/json"
    ),
}
TEMPLATE_FORMS: Final = tuple(form for form, kind in FORMS.items() if kind.template)
"""The forms for which an office may give templates."""
