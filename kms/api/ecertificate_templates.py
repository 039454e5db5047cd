"""Templates of e-certificates over HTTP: /api/v1/kms/ecertificate-templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.api.ecertificate_records import (
    DECIDE_TEMPLATE,
    PROPOSE_TEMPLATE,
    TEMPLATE,
    TEMPLATE_PAGE,
    template_record,
)
from kms.api.seal_records import decision_of, text_field
from kms.api.seal_schemas import REASON
from kms.service import KmsServices
from secops.kernel.permissions.kms import (
    ECERTIFICATE_APPROVE,
    ECERTIFICATE_PROPOSE,
    ECERTIFICATE_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

TEMPLATES: Final = "/api/v1/kms/ecertificate-templates"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of templates."""
    handlers = _Templates(services)
    return (
        Route(
            method="GET",
            path=TEMPLATES,
            operation="list_ecertificate_templates",
            access=ECERTIFICATE_READ,
            handler=handlers.list_ecertificate_templates,
            response=TEMPLATE_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=TEMPLATES,
            operation="propose_ecertificate_template",
            access=ECERTIFICATE_PROPOSE,
            handler=handlers.propose_ecertificate_template,
            request=PROPOSE_TEMPLATE,
            response=TEMPLATE,
        ),
        Route(
            method="GET",
            path=f"{TEMPLATES}/<template_id>",
            operation="show_ecertificate_template",
            access=ECERTIFICATE_READ,
            handler=handlers.show_ecertificate_template,
            response=TEMPLATE,
        ),
        Route(
            method="POST",
            path=f"{TEMPLATES}/<template_id>/decision",
            operation="decide_ecertificate_template",
            access=ECERTIFICATE_APPROVE,
            handler=handlers.decide_ecertificate_template,
            request=DECIDE_TEMPLATE,
            response=TEMPLATE,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{TEMPLATES}/<template_id>/retire",
            operation="retire_ecertificate_template",
            access=ECERTIFICATE_APPROVE,
            handler=handlers.retire_ecertificate_template,
            request=REASON,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Templates:
    services: KmsServices

    def list_ecertificate_templates(self, request: Request) -> Response:
        page = self.services.ecertificates.templates.list_ecertificate_templates(
            request.caller, wanted_page(request)
        )
        return page_response(page, template_record)

    def propose_ecertificate_template(self, request: Request) -> Response:
        request.require_length()
        made = self.services.ecertificates.templates.propose_ecertificate_template(
            request.caller, request.json_object()
        )
        return json_response(template_record(made), 201)

    def show_ecertificate_template(self, request: Request) -> Response:
        found = self.services.ecertificates.templates.show_ecertificate_template(
            request.caller, request.args["template_id"]
        )
        changes = [
            {"what": what, "before": before, "after": after}
            for what, before, after in found.changes
        ]
        approval = {"approval": found.approval.state, "changes": changes}
        return json_response({**template_record(found.template), **approval})

    def decide_ecertificate_template(self, request: Request) -> Response:
        grant, reason = decision_of(request.json_object())
        decided = self.services.ecertificates.templates.decide_ecertificate_template(
            request.caller, request.args["template_id"], grant=grant, reason=reason
        )
        return json_response(template_record(decided))

    def retire_ecertificate_template(self, request: Request) -> Response:
        reason = text_field(request.json_object(), "reason")
        template_id = request.args["template_id"]
        self.services.ecertificates.templates.retire_ecertificate_template(
            request.caller, template_id, reason
        )
        return json_response({"id": template_id, "state": "retired"})
