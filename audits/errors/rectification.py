"""What can go wrong with rectification, waivers, risks and scans."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class TaskNotFound(NotFound):
    """The organisation has no such task."""

    code = "audits.task_not_found"
    title = Text("没有这个整改任务", "There is no such rectification task")


class TaskStateRefused(Conflict):
    """The task's state does not allow it."""

    code = "audits.task_state_refused"
    title = Text("整改任务的状态不允许此操作", "The task's state does not allow it")
    remedy = Text(
        "请先由负责人提交证明,再复核或关闭。",
        "Its owner gives a proof first; then it is re-checked or closed.",
    )


class NotTheOwner(Forbidden):
    """Only the owner gives the proof."""

    code = "audits.not_the_owner"
    title = Text("只有整改负责人可以提交证明", "Only the task's owner gives the proof")
    remedy = Text("请由负责人提交,或先改派负责人。", "Ask the owner, or assign another one first.")


class MachineDecides(Conflict):
    """The item has a check: no person closes its task over it."""

    code = "audits.machine_decides"
    title = Text("该条目有自动核查,不能由人员关闭", "The item has a check: no person closes it")
    remedy = Text(
        "请补齐证据后复核;核查通过时自动关闭。",
        "Bring the evidence and re-check: a passing check closes it.",
    )


class PersonNotFound(NotFound):
    """The organisation has no account of that name."""

    code = "audits.person_not_found"
    title = Text("没有这个账户", "There is no such account")


class WaiverNotFound(NotFound):
    """The organisation has no such waiver."""

    code = "audits.waiver_not_found"
    title = Text("没有这个豁免", "There is no such waiver")


class WaiverStateRefused(Conflict):
    """The waiver's state does not allow it."""

    code = "audits.waiver_state_refused"
    title = Text("豁免的状态不允许此操作", "The waiver's state does not allow it")


class RiskNotFound(NotFound):
    """The organisation has no such risk."""

    code = "audits.risk_not_found"
    title = Text("没有这个风险", "There is no such risk")


class RiskStateRefused(Conflict):
    """The risk's state does not allow it."""

    code = "audits.risk_state_refused"
    title = Text("风险的状态不允许此操作", "The risk's state does not allow it")
    remedy = Text(
        "请先选定处置方式并评定残余风险;高于可接受线的须由他人接受。",
        "Choose a treatment and rate what remains; above the line another person accepts it.",
    )


class ScanRejected(Invalid):
    """A scanner's file can't be read as what it is said to be."""

    code = "audits.scan_rejected"
    title = Text("扫描结果文件无法读取", "The scanner's file can't be read")
    remedy = Text(
        "请导出 SARIF 2.1.0 或带表头的 CSV,并核对列映射。",
        "Export SARIF 2.1.0, or CSV with headings, and check which column means what.",
    )


class ScanOutdated(Conflict):
    """A later scan of the same scope is known, or this very file."""

    code = "audits.scan_outdated"
    title = Text("该范围已有同一份或更新的扫描结果", "This scan, or a later one, is known already")


class OtherScanner(Conflict):
    """The scope's scans are another scanner's: one can't tell what the other would find."""

    code = "audits.other_scanner"
    title = Text("该范围此前由另一扫描器扫描", "Another scanner scanned this scope before")
    remedy = Text(
        "请为每个扫描器使用各自的范围名称。",
        "Name a scope of its own for each scanner.",
    )


class ScopeNotFound(NotFound):
    """The organisation never read a scan of this scope of the system."""

    code = "audits.scan_scope_not_found"
    title = Text("没有这个扫描范围", "There is no such scope of scans")


class ScopeRetired(Conflict):
    """The scope was given up already."""

    code = "audits.scan_scope_retired"
    title = Text("该扫描范围已停用", "The scope is retired already")
    remedy = Text(
        "导入该范围的新扫描结果即恢复。", "Importing a later scan of it takes it up again."
    )


class ScanNotFound(NotFound):
    """The organisation has no such finding of a scanner."""

    code = "audits.scan_finding_not_found"
    title = Text("没有这条扫描发现", "There is no such finding of a scanner")
