"""What stands in the way of a binding."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class BindingNotFound(NotFound):
    """No binding has this id here."""

    code = "playbooks.binding_not_found"
    title = Text("没有该自动响应绑定", "There is no such binding")


class BindingInvalid(Invalid):
    """The terms of a binding contradict the rules for them."""

    code = "playbooks.binding_invalid"
    status = 422
    title = Text("自动响应绑定的条款不正确", "The terms of the binding are not valid")
    remedy = Text("请按提示更正后重新提交。", "Correct what is named and propose it again.")


class BindingTooFree(Invalid):
    """The playbook does what no binding may do before a person said so."""

    code = "playbooks.binding_too_free"
    status = 422
    exit_code = 1
    title = Text("该剧本不得自动执行", "The playbook may not act by itself")
    remedy = Text(
        "自动执行只允许可撤销、有期限、有数量上限的限制性动作;请改用“审批后执行”。",
        "Only restricting steps that expire, can be taken back and are capped act by themselves; "
        "choose `approve`.",
    )


class ChangeOutdated(Conflict):
    """What is decided on is not what was shown, or nothing waits."""

    code = "playbooks.change_outdated"
    exit_code = 1
    title = Text("待审批的变更与所见不一致", "The change that waits is not the one that was seen")
    remedy = Text(
        "请刷新页面,核对差异后再审批。", "Load the page again and look at the difference."
    )


class PauseRefused(Conflict):
    """The switch is there already, or nobody asked to go on."""

    code = "playbooks.pause_refused"
    exit_code = 1
    title = Text("自动响应的开关已处于该状态", "The switch stands so already")


class AutomaticRunSettled(Conflict):
    """Somebody decided about the run before, or its time was over."""

    code = "playbooks.automatic_run_settled"
    exit_code = 1
    title = Text("该自动运行已有结论", "This automatic run was decided before")
