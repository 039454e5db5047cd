"""What can go wrong with catalogues and self-assessments."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError


class CatalogueRejected(SecopsError):
    """A catalogue of control items does not add up."""

    code = "audits.catalogue_rejected"
    status = 500
    exit_code = 3
    title = Text("控制项目录不完整", "The catalogue of control items does not add up")
    remedy = Text("请重新安装本产品。", "Install the product again.")


class UnknownStandard(Invalid):
    """There is no catalogue of that standard or level."""

    code = "audits.unknown_standard"
    title = Text("不支持该标准或级别", "There is no such standard or level")
    remedy = Text(
        "请使用 --standard gbt22239 和 --level 1 至 4。",
        "Use --standard gbt22239 and a level from 1 to 4.",
    )
