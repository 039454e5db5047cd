"""Outside CAs over HTTP: /api/v1/kms/trust-anchors and outside-certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.api.certificate_schemas import (
    ANCHOR,
    ANCHOR_PAGE,
    CERTIFICATE,
    DECIDE,
    EXPORT_REQUEST,
    EXPORTED_REQUEST,
    IMPORT_CERTIFICATE,
    IMPORT_LIST,
    PROPOSE_ANCHOR,
)
from kms.api.seal_records import decision_of, text_field
from kms.api.seal_schemas import REASON
from kms.models.certificates import OutsideRequest
from kms.service import KmsServices
from kms.service.certificates import CertificateServices, to_pem
from kms.service.certificates.records import anchor_record, certificate_record
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    ANCHOR_APPROVE,
    ANCHOR_PROPOSE,
    ANCHOR_READ,
    ANCHOR_RETIRE,
    CERTIFICATE_IMPORT,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

ANCHORS: Final = "/api/v1/kms/trust-anchors"
OUTSIDE: Final = "/api/v1/kms/outside-certificates"
_LIST_BODY: Final = 12 << 20


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of trust anchors and of outside certificates."""
    here = _Anchors(services.certificates)
    return (*_anchor_routes(here), *_outside_routes(here))


def _anchor_routes(here: _Anchors) -> tuple[Route, ...]:
    one = f"{ANCHORS}/<anchor_id>"
    return (
        Route(
            method="GET",
            path=ANCHORS,
            operation="list_anchors",
            access=ANCHOR_READ,
            handler=here.list_anchors,
            response=ANCHOR_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=ANCHORS,
            operation="propose_anchor",
            access=ANCHOR_PROPOSE,
            handler=here.propose_anchor,
            request=PROPOSE_ANCHOR,
            response=ANCHOR,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{one}/decision",
            operation="decide_anchor",
            access=ANCHOR_APPROVE,
            handler=here.decide_anchor,
            request=DECIDE,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{one}/retire",
            operation="retire_anchor",
            access=ANCHOR_RETIRE,
            handler=here.retire_anchor,
            request=REASON,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{one}/revocation-list",
            operation="import_revocation_list",
            access=CERTIFICATE_IMPORT,
            handler=here.import_revocation_list,
            request=IMPORT_LIST,
            level=2,
            max_body=_LIST_BODY,
        ),
    )


def _outside_routes(here: _Anchors) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=f"{OUTSIDE}/request",
            operation="export_certificate_request",
            access=CERTIFICATE_IMPORT,
            handler=here.export_certificate_request,
            request=EXPORT_REQUEST,
            response=EXPORTED_REQUEST,
            level=2,
        ),
        Route(
            method="POST",
            path=OUTSIDE,
            operation="import_certificate",
            access=CERTIFICATE_IMPORT,
            handler=here.import_certificate,
            request=IMPORT_CERTIFICATE,
            response=CERTIFICATE,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Anchors:
    services: CertificateServices

    def list_anchors(self, request: Request) -> Response:
        page = self.services.anchors.list_anchors(request.caller, wanted_page(request))
        return page_response(page, anchor_record)

    def propose_anchor(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        uses = fields.get("uses")
        if not isinstance(uses, list) or not all(isinstance(use, str) for use in uses):
            msg = "uses is a list of words"
            raise Invalid(msg)
        anchor = self.services.anchors.propose_anchor(
            request.caller,
            text_field(fields, "certificate").encode(),
            uses,
            text_field(fields, "reason"),
        )
        record = {"id": anchor.id, "subject": anchor.subject, "sha256": anchor.fingerprint}
        return json_response({**record, "uses": list(anchor.uses), "state": anchor.state}, 201)

    def decide_anchor(self, request: Request) -> Response:
        anchor_id = request.args["anchor_id"]
        grant, reason = decision_of(request.json_object())
        self.services.anchors.decide_anchor(request.caller, anchor_id, grant=grant, reason=reason)
        return json_response({"id": anchor_id, "state": "active" if grant else "rejected"})

    def retire_anchor(self, request: Request) -> Response:
        anchor_id, reason = request.args["anchor_id"], text_field(request.json_object(), "reason")
        self.services.anchors.retire_anchor(request.caller, anchor_id, reason)
        return json_response({"id": anchor_id, "state": "retired"})

    def import_revocation_list(self, request: Request) -> Response:
        request.require_length()
        anchor_id, content = request.args["anchor_id"], text_field(request.json_object(), "list")
        found = self.services.anchors.import_revocation_list(
            request.caller, anchor_id, content.encode()
        )
        facts = {"number": f"{found.number:x}", "next_update": to_rfc3339(found.next_update)}
        return json_response({"id": anchor_id, **facts}, 201)

    def export_certificate_request(self, request: Request) -> Response:
        wanted = _wanted(request.json_object())
        encoded = self.services.outside.export_certificate_request(request.caller, wanted)
        return json_response({"csr": to_pem("CERTIFICATE REQUEST", encoded)})

    def import_certificate(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        issued = self.services.outside.import_certificate(
            request.caller, _wanted(fields), text_field(fields, "certificate").encode()
        )
        return json_response(certificate_record(issued), 201)


def _wanted(fields: Mapping[str, Any]) -> OutsideRequest:
    role = fields.get("role")
    if role == "maker":
        return OutsideRequest("maker")
    place = fields.get("place", 0)
    if role != "holder" or not isinstance(place, int) or isinstance(place, bool):
        msg = "role is maker, or holder with the place (a number) in an application"
        raise Invalid(msg)
    return OutsideRequest("holder", text_field(fields, "application_id"), place)
