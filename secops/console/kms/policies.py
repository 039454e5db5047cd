"""The use policy on a seal's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kms.models.seal_policies import WEEKDAYS, UseApproval, UsePolicy, read_minutes
from secops.console.parts import Desk, post_page, whole_number
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import SEAL_CONFIGURE
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_DIGITS: Final = 7
DAY_NAMES: Final = {
    1: N_("周一"),
    2: N_("周二"),
    3: N_("周三"),
    4: N_("周四"),
    5: N_("周五"),
    6: N_("周六"),
    7: N_("周日"),
}


USE_APPROVALS: Final[dict[UseApproval, str]] = {
    "none": N_("不需要"),
    "each_use": N_("每次用章均须他人审批"),
}


@dataclass(frozen=True, slots=True)
class _Policies:
    desk: Desk

    def set_use_policy(self, request: Request) -> Response:
        """Replace the policy that the form showed."""
        form, seal_id = request.form, request.args["seal_id"]
        opens, closes = (read_minutes(form.get(name, "")) for name in ("opens", "closes"))
        if opens is None or closes is None:
            raise Invalid("hours are HH:MM, 00:00 to 24:00")
        cap = form.get("daily_cap", "").strip()
        wish = UsePolicy(
            seal_id=seal_id,
            users=tuple(form.get("users", "").split()),
            document_classes=tuple(form.get("document_classes", "").split()),
            weekdays=tuple(day for day in WEEKDAYS if form.get(f"day{day}") == "on"),
            opens=opens,
            closes=closes,
            daily_cap=_number(form, "daily_cap") if cap else None,
            max_risk=_number(form, "max_risk"),
            version=_number(form, "version"),
            approval="each_use" if form.get("approval") == "each_use" else "none",
        )
        self.desk.parts.kms.seal_policies.set_use_policy(request.caller, wish)
        return redirect(f"/seals/{seal_id}")


def _number(form: Mapping[str, str], name: str) -> int:
    found = whole_number(form.get(name, "").strip(), _DIGITS)
    if found is None:
        raise Invalid(f"{name} is a number")
    return found


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the route of the policy's form."""
    here = _Policies(desk)
    return (
        post_page(
            "/seals/<seal_id>/use-policy",
            "set_use_policy_form",
            SEAL_CONFIGURE,
            here.set_use_policy,
            level=2,
        ),
    )
