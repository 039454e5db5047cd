"""notice.issue: a notice about the incident, as a draft or in review; people issue it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.models import PlannedStep, TargetState
from playbooks.models.notices import Notice
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.notices.drafting import DraftingService
from playbooks.service.notices.templates import notice_content
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import system_actor
from secops.kernel.errors import Invalid

_ACTOR: Final = "playbooks-runner"


class IssueNotice:
    """Drafts what the template says, to the incident's own organisation.

    The run's requester is its author: another person approves, whatever the run was approved
    for, and whoever holds a seal issues it.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._drafting = DraftingService(NoticeDesk(surroundings))

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return what would be drafted; raise ``Invalid`` for an unknown template."""
        template = self._template(args["template"])
        after = "in review" if template["submit"] else "draft"
        name = args["template"]
        return (TargetState(f"notice:{name}", f"{name} → {org_id}", "any", "", after),)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: a draft is kept once for each order."""
        del step
        return "idempotent"

    def perform(self, call: Call) -> Performed:
        """Keep the draft, submit it where the template says so, and read it back."""
        order, name = call.order, call.step.args["template"]
        template = self._template(name)
        actor = system_actor(_ACTOR, order.org_id)
        incident = self._s.parts.transactions.read(
            lambda tx: self._s.stores.incidents.get(tx, order.org_id, order.incident_id)
        )
        content = notice_content(template, incident)
        notice = self._drafting.keep_draft(
            actor, content, origin=order.key, author=order.requester_id
        )
        if template["submit"] and notice.state == "draft":
            notice = self._drafting.submit(actor, notice.id)
        details = {"notice": notice.id, "state": notice.state}
        return Performed(self.holds(call), details, {"notice": notice.id})

    def holds(self, call: Call) -> bool:
        """Tell whether it was drafted."""
        return self._drafted(call) is not None

    def _drafted(self, call: Call) -> Notice | None:
        order = call.order
        return self._s.parts.transactions.read(
            lambda tx: self._s.notices.notices.by_origin(tx, order.org_id, order.key)
        )

    def _template(self, name: str) -> Mapping[str, Any]:
        templates: Mapping[str, Mapping[str, Any]] = self._s.library.notice_templates()
        if name not in templates:
            msg = f"a template is {', '.join(templates)}"
            raise Invalid(msg)
        return templates[name]
