"""What is refused about notices, early warnings and working days."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable


class CalendarInvalid(Invalid):
    """A table of working days can't be read; the message names the place."""

    code = "playbooks.calendar_invalid"
    title = Text("工作日历无法读取", "The table of working days can't be read")
    remedy = Text(
        "请按手册更正 home/working_days.json。",
        "Correct home/working_days.json as the manual shows.",
    )


class NoticeNotFound(NotFound):
    """There is no such notice, or it is not the caller's to see."""

    code = "playbooks.notice_not_found"
    title = Text("没有这份通报", "There is no such notice")


class NoticeInvalid(Invalid):
    """A text, number or name of a notice is not acceptable."""

    code = "playbooks.notice_invalid"
    status = 422
    exit_code = 1
    title = Text("通报内容不符合要求", "The notice is not acceptable")
    remedy = Text("请按说明更正后重试。", "Correct it as the message says.")


class NoticeStateRefused(Conflict):
    """What was asked does not follow from the state it is in."""

    code = "playbooks.notice_state_refused"
    exit_code = 1
    title = Text("当前状态不允许此操作", "Its state does not allow this")
    remedy = Text("请查看当前状态和办理记录。", "Look at its state and history.")


class ApprovalStale(Conflict):
    """What was approved is not what would be issued."""

    code = "playbooks.notice_approval_stale"
    exit_code = 4
    title = Text("内容与签发时不一致或签发已失效", "This is not what was approved")
    remedy = Text("请重新提交审核。", "Submit it for review again.")


class OwnNotice(Forbidden):
    """One person has two parts in a notice that are two people's."""

    code = "playbooks.own_notice"
    title = Text("同一人不能兼任此环节", "One person can't do both")
    remedy = Text("请由另一位有权限的人员办理。", "Ask another person who may do it.")


class NoticeSealMissing(Conflict):
    """No seal is there that the issuer may use, or several and none chosen."""

    code = "playbooks.notice_seal_missing"
    exit_code = 1
    title = Text("没有可用的印章", "There is no seal to issue it with")
    remedy = Text(
        "请由印章使用人选定其持有的有效印章后签发。",
        "Let a seal holder issue it and choose a seal of theirs that is in use.",
    )


class NoticeFileChanged(Unavailable):
    """The kept file is not the one that was issued."""

    code = "playbooks.notice_file_changed"
    title = Text("通报文件与登记的摘要不符", "The kept file is not the one that was issued")


class ExtensionRefused(Conflict):
    """It was asked for too late, too often, or for too long."""

    code = "playbooks.extension_refused"
    exit_code = 1
    title = Text("不能申请延期", "No extension can be asked for")
    remedy = Text(
        "延期须在整改期限届满前申请,且次数、天数有限。",
        "Ask before the deadline; times and days are limited.",
    )


class RecheckFailed(Conflict):
    """What verification ran again still finds the fault."""

    code = "playbooks.recheck_failed"
    exit_code = 1
    title = Text("复核未通过:问题仍然存在", "Verification still finds the fault")
    remedy = Text("请退回整改。", "Return it to the unit.")


class ProofRefused(TooLarge):
    """A proof file is too large, or there are too many."""

    code = "playbooks.proof_refused"
    title = Text("整改证明超出限制", "The proof exceeds the limits")
    remedy = Text("请压缩、拆分或删减文件。", "Send smaller or fewer files.")


class WarningNotFound(NotFound):
    """There is no such early warning, or it is not the caller's to see."""

    code = "playbooks.warning_not_found"
    title = Text("没有这条预警", "There is no such early warning")
