"""What bindings made of an alert, in words: for the alert's page and for the bindings' own."""

from __future__ import annotations

from typing import Final

from secops.console.parts import Desk
from secops.console.texts import N_
from secops.web.messages import Request

OUTCOMES: Final = {
    "suggested": N_("已建议"),
    "asked": N_("已申请审批"),
    "acted": N_("已执行"),
    "cooled_down": N_("同一对象冷却中,未执行"),
    "refused": N_("未执行"),
}
REASONS: Final = {
    "": "",
    "budget": N_("已达每小时上限"),
    "paused": N_("自动响应已暂停"),
    "drill": N_("演练,不自动处置"),
    "not_restrained": N_("计划含不可自动执行的动作"),
    "entity_rests": N_("冷却时间未到"),
}


def reason_of(desk: Desk, request: Request, code: str) -> str:
    """Return why an answer went no further, in the reader's language; an error's code as it is."""
    return desk.renderer.word(request, REASONS[code]) if REASONS.get(code) else code
