"""Refusals of drills."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class DrillInvalid(Invalid):
    """The plan of a drill can't be used."""

    code = "playbooks.drill_invalid"
    status = 422
    title = Text("演练方案无效", "The drill's plan can't be used")
    remedy = Text(
        "请检查标题、情景、告警(1–50 条)和演练账户。",
        "Look at its title, scenario, alerts (1 to 50) and drill accounts.",
    )


class DrillUnknown(NotFound):
    """No drill of that id is visible to the caller."""

    code = "playbooks.drill_unknown"
    title = Text("未找到演练", "Drill not found")


class DrillStateRefused(Conflict):
    """The drill is not in a state in which this can be done."""

    code = "playbooks.drill_state"
    title = Text("演练的当前状态不允许该操作", "The drill's state does not allow this")
    remedy = Text(
        "顺序为:策划、另一人审批、实施、结束、报告。",
        "The order is: plan, approval by another person, run, end, report.",
    )


class DrillMixed(Conflict):
    """What is exercised and what really happens never share an incident."""

    code = "playbooks.drill_mixed"
    title = Text("演练与真实事件不能混合", "A drill and real events never mix")
    remedy = Text(
        "演练告警只能关联演练事件,真实告警只能关联真实事件。",
        "A drill's alerts belong to drills' incidents, real ones to real incidents.",
    )
