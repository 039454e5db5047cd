"""What was done to tasks, waivers and risks, in the words of their histories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secops.kernel.catalogue import Text

DEEDS: Final[Mapping[str, Text]] = {
    "make_task": Text("建立任务", "made the task"),
    "assign_task": Text("改派或改期", "assigned it anew"),
    "give_proof": Text("提交证明", "gave a proof"),
    "recheck_task": Text("复核", "re-checked it"),
    "close_task": Text("人员判定关闭", "closed it as a person"),
    "reopen_task": Text("重新打开", "opened it again"),
    "request_waiver": Text("申请豁免", "asked for the waiver"),
    "approve_waiver": Text("批准豁免", "approved the waiver"),
    "reject_waiver": Text("驳回豁免", "rejected the waiver"),
    "revoke_waiver": Text("撤销豁免", "revoked the waiver"),
    "add_risk": Text("登记风险", "entered the risk"),
    "see_risk": Text("来源再次出现", "its source was seen again"),
    "rate_risk": Text("评定", "rated it"),
    "treat_risk": Text("制定处置", "planned its treatment"),
    "close_risk": Text("关闭风险", "closed the risk"),
    "ask_acceptance": Text("申请接受", "asked for acceptance"),
    "accept_risk": Text("接受风险", "accepted the risk"),
    "refuse_risk": Text("不予接受", "refused to accept it"),
}
