"""What can go wrong with the register of systems."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class SystemNotFound(NotFound):
    """The organisation has no such system."""

    code = "audits.system_not_found"
    title = Text("没有这个系统", "There is no such system")
    remedy = Text(
        "请用 secops audits list-systems 查看已登记的系统;this 表示本平台。",
        "List the registered systems with `secops audits list-systems`; `this` is this platform.",
    )


class AssetNotFound(NotFound):
    """The organisation has no such asset."""

    code = "audits.asset_not_found"
    title = Text("没有这个资产", "There is no such asset")
    remedy = Text(
        "请用 secops audits list-assets 查看系统的资产。",
        "List a system's assets with `secops audits list-assets`.",
    )


class SupplierAccessNotFound(NotFound):
    """The organisation has registered no such access."""

    code = "audits.supplier_access_not_found"
    title = Text("没有这条供应商访问记录", "There is no such access of a supplier")
    remedy = Text(
        "请用 secops audits list-supplier-accesses 查看。",
        "List them with `secops audits list-supplier-accesses`.",
    )


class NameInUse(Conflict):
    """Another one bears the name."""

    code = "audits.name_in_use"
    title = Text("名称已被使用", "The name is in use")
    remedy = Text("请换一个名称,或修改已登记的那一条。", "Choose another name, or change that one.")


class Retired(Conflict):
    """What is retired stays as it was."""

    code = "audits.retired"
    title = Text("已停用的条目不能再改", "What is retired is no longer changed")
    remedy = Text("请重新登记。", "Register it anew.")


class TableRefused(Invalid):
    """A file can't be taken for a table of the register."""

    code = "audits.table_refused"
    title = Text("文件不能导入", "The file can't be imported")
    remedy = Text(
        "请下载导出的表格作为模板;公式、宏和外部链接一律不接受。",
        "Use an exported table as the template; formulas, macros and external links are refused.",
    )


class FieldRefused(Invalid):
    """A field holds what it may not hold."""

    code = "audits.field_refused"
    title = Text("填写的内容不符合要求", "A field can't hold this")
