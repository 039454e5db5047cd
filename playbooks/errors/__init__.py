"""What the playbooks plane refuses, and what to do about it."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, SecopsError, Unavailable


class PlaybookInvalid(Invalid):
    """The playbook breaks CACAO 2.0 or our profile of it; facts name the first place."""

    code = "playbooks.playbook_invalid"
    status = 422
    exit_code = 1
    title = Text("剧本不符合 CACAO 2.0", "The playbook is not valid CACAO 2.0")
    remedy = Text(
        "请运行 secops playbooks check FILE 查看每处问题并更正。",
        "Run `secops playbooks check FILE` to see every place, and correct them.",
    )


class NotYetRunnable(Invalid):
    """A valid playbook asks for something this release can't execute."""

    code = "playbooks.not_yet_runnable"
    status = 422
    exit_code = 1
    title = Text("该剧本含有暂不支持执行的步骤", "This release can't run a step of the playbook")
    remedy = Text(
        "请改用线性步骤和受支持的动作,或人工执行。",
        "Use linear steps and supported actions, or do the step by hand.",
    )


class VariableMissing(Invalid):
    """A variable has no value from the incident, the playbook or the caller."""

    code = "playbooks.variable_missing"
    status = 422
    title = Text("剧本变量没有取值", "A playbook variable has no value")
    remedy = Text(
        "请用 --var NAME=VALUE 给出变量的值。", "Give the variable's value with --var NAME=VALUE."
    )


class TargetProtected(Conflict):
    """The target may not be contained automatically (e.g. the last security administrator)."""

    code = "playbooks.target_protected"
    exit_code = 1
    title = Text("目标受保护,不得自动处置", "The target is protected")
    remedy = Text(
        "请由人工评估后处置该目标。", "Have a person judge and handle this target by hand."
    )


class BlastExceeded(Conflict):
    """A step would touch more targets than it may."""

    code = "playbooks.blast_exceeded"
    exit_code = 1
    title = Text("处置范围超过上限", "The step would touch too many targets")
    remedy = Text("请缩小范围或拆分处置。", "Narrow the scope, or split the response.")


class IncidentNotFound(NotFound):
    """No incident of that id is visible to the caller."""

    code = "playbooks.incident_not_found"
    title = Text("未找到事件", "Incident not found")


class RunNotFound(NotFound):
    """No run of that id is visible to the caller."""

    code = "playbooks.run_not_found"
    title = Text("未找到剧本运行", "Run not found")


class PlaybookNotFound(NotFound):
    """No playbook of that name, id or hash is kept or packaged."""

    code = "playbooks.playbook_not_found"
    title = Text("未找到剧本", "Playbook not found")


class AlertNotFound(NotFound):
    """No alert of that id is visible to the caller."""

    code = "playbooks.alert_not_found"
    title = Text("未找到告警", "Alert not found")


class AlertLinked(Conflict):
    """The alert already belongs to an incident (fact ``incident_id``)."""

    code = "playbooks.alert_linked"
    title = Text("该告警已关联事件", "The alert already belongs to an incident")
    remedy = Text("请在已关联的事件中继续处置。", "Go on in the incident it belongs to.")


class TransitionRefused(Conflict):
    """The incident can't move from its state to that one."""

    code = "playbooks.transition_refused"
    title = Text("事件状态不能这样变更", "The incident can't change to this state")
    remedy = Text(
        "请按 待研判→已确认→遏制→根除→恢复→总结→关闭 的顺序推进,并补齐所缺内容。",
        "Follow triage, confirmed, contained, eradicated, recovered, lessons, closed; "
        "fill in what is missing.",
    )


class ChangedMeanwhile(Conflict):
    """Somebody else changed the record since it was read."""

    code = "playbooks.changed_meanwhile"
    title = Text("记录已被他人修改", "The record changed meanwhile")


class PlanChanged(Conflict):
    """What would be done is no longer what was approved; the approval is void."""

    code = "playbooks.plan_changed"
    exit_code = 1
    title = Text("计划已变化,原审批作废", "The plan changed, so its approval is void")
    remedy = Text("请核对新的计划并重新审批。", "Look at the new plan and approve it again.")


class RunStateRefused(Conflict):
    """The run is not in a state in which this can be done."""

    code = "playbooks.run_state"
    title = Text("剧本运行的当前状态不允许该操作", "The run's state does not allow this")


class HttpRefused(SecopsError):
    """A partner answered a playbook's call with an error."""

    code = "playbooks.http_refused"
    status = 502
    title = Text("对方系统拒绝了请求", "The other system refused the call")
    remedy = Text(
        "请检查对方接口和剧本中的请求。", "Check the other system and the playbook's call."
    )


class ChannelUnknown(Invalid):
    """No notification channel of that name is configured."""

    code = "playbooks.channel_unknown"
    status = 422
    title = Text("未配置该通知渠道", "This notification channel is not configured")
    remedy = Text(
        "请在设置中配置通知渠道,或使用 inbox。",
        "Configure the channel in the settings, or use `inbox`.",
    )


class FontUnavailable(Unavailable):
    """No font is there that a report can be set in."""

    code = "playbooks.font_unavailable"
    title = Text("没有可用的中文字体,无法生成 PDF", "No font for the PDF is installed")
    remedy = Text(
        "请安装字体:apt-get install fonts-wqy-microhei,或改用 DOCX。",
        "Install one (apt-get install fonts-wqy-microhei), or take the DOCX.",
    )


class DutyFiled(Conflict):
    """The report was filed before, or the duty declared; the first entry counts."""

    code = "playbooks.duty_filed"
    exit_code = 1
    title = Text("该报送事项此前已登记", "This duty was entered before")
    remedy = Text(
        "请查看事件页的法定时限;如需更正,请在时间线中说明。",
        "See the deadlines on the incident's page; write a correction into its timeline.",
    )


class DutyAbsent(Conflict):
    """The incident has no such duty now."""

    code = "playbooks.duty_absent"
    exit_code = 1
    title = Text("该事件当前没有此报送事项", "The incident has no such duty now")
    remedy = Text(
        "请先研判报告级别,或先登记该事项适用。",
        "Judge the reporting level, or declare that the duty applies.",
    )


class EffectUnknown(SecopsError):
    """A call may or may not have had its effect; nobody guesses."""

    code = "playbooks.effect_unknown"
    status = 502
    title = Text("处置结果未知", "Whether the step took effect is unknown")
    remedy = Text(
        "请人工核实目标的实际状态,再在运行中确认该步骤的结果。",
        "Look at the target yourself, then answer for the step in the run.",
    )
