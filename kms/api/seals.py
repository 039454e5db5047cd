"""Seals over HTTP: /api/v1/kms/seals and /api/v1/kms/seal-applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from kms.api.seal_records import (
    application_record,
    decision_of,
    decoded_field,
    in_base64,
    seal_record,
    text_field,
)
from kms.api.seal_schemas import (
    APPLICATION,
    APPLICATION_PAGE,
    APPLY_SEAL,
    DECIDE_APPLICATION,
    REASON,
    SEAL,
    SEAL_PAGE,
)
from kms.models.seal_registry import SealRequest, SealShape
from kms.service import KmsServices
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    SEAL_APPLY,
    SEAL_APPROVE,
    SEAL_DESTROY,
    SEAL_MAKE,
    SEAL_READ,
    SEAL_SUSPEND,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

SEALS: Final = "/api/v1/kms/seals"
APPLICATIONS: Final = "/api/v1/kms/seal-applications"


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of seals."""
    return (
        *_registry_routes(_Registry(services)),
        *_destruction_routes(_Registry(services)),
        *_application_routes(_Applications(services)),
    )


def _registry_routes(handlers: _Registry) -> tuple[Route, ...]:
    stopping = (
        ("suspend", "suspend_seal", handlers.suspend_seal),
        ("resume", "resume_seal", handlers.resume_seal),
        ("revoke", "revoke_seal", handlers.revoke_seal),
    )
    return (
        Route(
            method="GET",
            path=SEALS,
            operation="list_seals",
            access=SEAL_READ,
            handler=handlers.list_seals,
            response=SEAL_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{SEALS}/<seal_id>",
            operation="show_seal",
            access=SEAL_READ,
            handler=handlers.show_seal,
            response=SEAL,
        ),
        *(
            Route(
                method="POST",
                path=f"{SEALS}/<seal_id>/{verb}",
                operation=operation,
                access=SEAL_SUSPEND,
                handler=handler,
                request=REASON,
                level=2,
            )
            for verb, operation, handler in stopping
        ),
    )


def _destruction_routes(handlers: _Registry) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=f"{SEALS}/<seal_id>/destruction",
            operation="request_seal_destruction",
            access=SEAL_DESTROY,
            handler=handlers.request_seal_destruction,
            request=REASON,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{SEALS}/<seal_id>/destruction/decision",
            operation="decide_seal_destruction",
            access=SEAL_DESTROY,
            handler=handlers.decide_seal_destruction,
            request=DECIDE_APPLICATION,
            level=2,
            fresh_seconds=FRESH_SECONDS,
        ),
    )


def _application_routes(handlers: _Applications) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=APPLICATIONS,
            operation="list_applications",
            access=SEAL_READ,
            handler=handlers.list_applications,
            response=APPLICATION_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=APPLICATIONS,
            operation="apply_seal",
            access=SEAL_APPLY,
            handler=handlers.apply_seal,
            request=APPLY_SEAL,
            response=APPLICATION,
        ),
        Route(
            method="GET",
            path=f"{APPLICATIONS}/<application_id>",
            operation="show_application",
            access=SEAL_READ,
            handler=handlers.show_application,
            response=APPLICATION,
        ),
        Route(
            method="POST",
            path=f"{APPLICATIONS}/<application_id>/decision",
            operation="decide_application",
            access=SEAL_APPROVE,
            handler=handlers.decide_application,
            request=DECIDE_APPLICATION,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{APPLICATIONS}/<application_id>/seal",
            operation="make_seal",
            access=SEAL_MAKE,
            handler=handlers.make_seal,
            response=SEAL,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Registry:
    services: KmsServices

    def list_seals(self, request: Request) -> Response:
        page = self.services.seal_registry.list_seals(request.caller, wanted_page(request))
        return page_response(page, seal_record)

    def show_seal(self, request: Request) -> Response:
        details = self.services.seal_registry.show_seal(request.caller, request.args["seal_id"])
        holders = [
            {"account_id": holder.account_id, "name": holder.name} for holder in details.holders
        ]
        return json_response(
            {
                **seal_record(details.record),
                "holders": holders,
                "content": in_base64(details.content),
                "picture": in_base64(details.picture),
            }
        )

    def suspend_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], text_field(request.json_object(), "reason")
        self.services.seal_registry.suspend_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "suspended"})

    def resume_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], text_field(request.json_object(), "reason")
        self.services.seal_registry.resume_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "active"})

    def revoke_seal(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], text_field(request.json_object(), "reason")
        self.services.seal_registry.revoke_seal(request.caller, seal_id, reason)
        return json_response({"id": seal_id, "state": "revoked"})

    def request_seal_destruction(self, request: Request) -> Response:
        seal_id, reason = request.args["seal_id"], text_field(request.json_object(), "reason")
        approval = self.services.seal_destruction.request_seal_destruction(
            request.caller, seal_id, reason
        )
        return json_response({"id": seal_id, "approval": approval.state}, 201)

    def decide_seal_destruction(self, request: Request) -> Response:
        seal_id = request.args["seal_id"]
        grant, reason = decision_of(request.json_object())
        approval = self.services.seal_destruction.decide_seal_destruction(
            request.caller, seal_id, grant=grant, reason=reason
        )
        return json_response({"id": seal_id, "approval": approval.state})


@dataclass(frozen=True, slots=True)
class _Applications:
    services: KmsServices

    def list_applications(self, request: Request) -> Response:
        page = self.services.seal_applications.list_applications(
            request.caller, wanted_page(request)
        )
        return page_response(page, lambda pair: application_record(*pair))

    def show_application(self, request: Request) -> Response:
        view = self.services.seal_applications.show_application(
            request.caller, request.args["application_id"]
        )
        record = application_record(view.application, view.approval)
        return json_response({**record, "picture": in_base64(view.picture)})

    def apply_seal(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        holders = fields.get("holders")
        if not isinstance(holders, list) or not all(isinstance(name, str) for name in holders):
            msg = "holders is a list of sign-in names"
            raise Invalid(msg)
        wanted = SealRequest(
            name=text_field(fields, "name"),
            shape=cast("SealShape", text_field(fields, "shape")),
            organization=text_field(fields, "organization"),
            holders=tuple(holders),
            reason=text_field(fields, "reason"),
            format_version=fields.get("format_version", 4),
            code=text_field(fields, "code") if "code" in fields else "",
            picture=decoded_field(fields, "picture") if "picture" in fields else None,
            origin=fields.get("origin", "local"),
        )
        application = self.services.seal_applications.apply_seal(request.caller, wanted)
        return json_response(application_record(application, None), 201)

    def decide_application(self, request: Request) -> Response:
        grant, reason = decision_of(request.json_object())
        approval = self.services.seal_applications.decide_application(
            request.caller,
            request.args["application_id"],
            grant=grant,
            reason=reason,
        )
        return json_response({"id": request.args["application_id"], "state": approval.state})

    def make_seal(self, request: Request) -> Response:
        record = self.services.seal_making.make_seal(request.caller, request.args["application_id"])
        return json_response(seal_record(record), 201)
