"""What can go wrong when reports are written as files, and with templates for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.errors import NotFound, SecopsError, Unavailable

_NAMED: Final = 20


class FontUnavailable(Unavailable):
    """No font is there that a report and its charts can be set in."""

    code = "audits.font_unavailable"
    title = Text("没有可用的中文字体,无法生成该格式", "No font for this form is installed")
    remedy = Text(
        "请安装字体:apt-get install fonts-wqy-microhei,或改用 HTML、XLSX。",
        "Install one (apt-get install fonts-wqy-microhei), or take HTML or XLSX.",
    )


class TemplateRejected(SecopsError):
    """A template does not do; ``faults`` name each place and what is wrong there."""

    code = "audits.template_rejected"
    status = 422
    title = Text("报告模板未通过校验", "The report template is refused")
    remedy = Text(
        "请按提示的位置修改模板;可用字段见 docs/manual/reports.md。",
        "Mend the places that are named; docs/manual/reports.md lists the fields.",
    )

    def __init__(self, faults: Sequence[str]) -> None:
        """Name the first of ``faults``."""
        shown = [*faults[:_NAMED], *(["…"] if len(faults) > _NAMED else [])]
        super().__init__("; ".join(shown))
        self.faults = tuple(faults)


class TemplateNotFound(NotFound):
    """There is no such template in the organisation."""

    code = "audits.template_not_found"
    title = Text("没有该报告模板", "There is no such report template")
    remedy = Text(
        "用 secops audits list-report-templates 查看现有模板。",
        "secops audits list-report-templates shows those that are there.",
    )
