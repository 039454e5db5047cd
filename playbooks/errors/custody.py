"""What is refused of evidence, its custody, and the people who work on an incident."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class CustodyRejected(Invalid):
    """A chain of custody does not verify; the detail names the link and why."""

    code = "playbooks.custody_rejected"
    status = 422
    exit_code = 1
    title = Text("证据保管链未通过验证", "The chain of custody does not verify")
    remedy = Text(
        "请勿采信该证据;请从系统重新导出保管链,并核对签名公钥。",
        "Don't rely on this evidence; export the chain anew and compare the signing key.",
    )


class CustodySignerLocked(Unavailable):
    """The key that signs custody can't be used now."""

    code = "playbooks.custody_signer_locked"
    title = Text("证据保管签名密钥当前不可用", "The key that signs custody can't be used now")
    remedy = Text("请先解锁密钥库,再重试。", "Unlock the key pool, then try again.")


class EvidenceNotFound(NotFound):
    """No item of evidence of that id is visible to the caller."""

    code = "playbooks.evidence_not_found"
    title = Text("未找到证据", "Evidence not found")


class EvidenceRefused(Conflict):
    """The item can't be kept: too many, too large together, or another under the same key."""

    code = "playbooks.evidence_refused"
    title = Text("证据不能保存", "The evidence can't be kept")
    remedy = Text(
        "请核对证据数量、总大小和幂等键。", "Look at how many and how large they are, and the key."
    )


class HandOverRefused(Conflict):
    """The hand-over is not possible as things stand."""

    code = "playbooks.hand_over_refused"
    exit_code = 1
    title = Text("证据不能这样移交", "The evidence can't be handed over like this")
    remedy = Text(
        "只有当前保管人可以移交,且须由指定的接收人本人接收。",
        "Only its holder hands it over, and only the person named receives it.",
    )


class MemberRoleRefused(Forbidden):
    """The caller's part in the incident does not cover this."""

    code = "playbooks.member_role_refused"
    title = Text("您在该事件中的角色不允许此操作", "Your part in the incident does not allow this")
    remedy = Text(
        "请由事件负责人操作,或请负责人调整您的角色。",
        "Ask the incident's lead to do it, or to change your part in it.",
    )


class MemberRefused(Conflict):
    """The membership can't be changed like this."""

    code = "playbooks.member_refused"
    title = Text("事件成员不能这样变更", "The members can't be changed like this")
    remedy = Text("请先指定另一位负责人。", "Name another lead first.")


class PersonNotFound(NotFound):
    """No account of that name is in the caller's organisation."""

    code = "playbooks.person_not_found"
    title = Text("本机构没有该账户", "There is no such account in your organisation")


class TaskNotFound(NotFound):
    """No task of that id is visible to the caller."""

    code = "playbooks.task_not_found"
    title = Text("未找到任务", "Task not found")


class PlanNotFound(NotFound):
    """No emergency plan of that id and version is visible to the caller."""

    code = "playbooks.emergency_plan_not_found"
    title = Text("未找到应急预案", "Emergency plan not found")


class PlanStateRefused(Conflict):
    """The plan's version is not in a state in which this can be done."""

    code = "playbooks.emergency_plan_state"
    exit_code = 1
    title = Text("预案的当前状态不允许该操作", "The plan's state does not allow this")
    remedy = Text(
        "生效的版本不能修改:请起草新版本并提交审批。",
        "A version in force can't be changed: write a new one and submit it.",
    )


class TaskRefused(Conflict):
    """The incident has as many tasks as it may."""

    code = "playbooks.task_refused"
    title = Text("任务数量已达上限", "The incident has as many tasks as it may")
    remedy = Text("请先完成或合并现有任务。", "Finish or merge the tasks that are there.")


class ObservableRefused(Conflict):
    """The incident has as many observables as it may."""

    code = "playbooks.observable_refused"
    title = Text("可观察项数量已达上限", "The incident has as many observables as it may")
    remedy = Text("请将其余内容作为证据文件保存。", "Keep the rest as a file of evidence.")
