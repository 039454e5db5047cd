"""Certificates over HTTP: /api/v1/kms/certificates and certificate-requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.api.certificate_schemas import (
    CERTIFICATE,
    CERTIFICATE_PAGE,
    DECIDE,
    REQUEST,
    REQUEST_CERTIFICATE,
    REQUEST_PAGE,
    REVOKE,
)
from kms.api.seal_records import decision_of, text_field
from kms.models.certificates import CertificateFilter, CertificateWish
from kms.service import KmsServices
from kms.service.certificates import CertificateServices, read_one
from kms.service.certificates.records import (
    certificate_record,
    details_record,
    request_record,
)
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    CERTIFICATE_APPROVE,
    CERTIFICATE_ISSUE,
    CERTIFICATE_READ,
    CERTIFICATE_REQUEST,
    CERTIFICATE_REVOKE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

CERTIFICATES: Final = "/api/v1/kms/certificates"
REQUESTS: Final = "/api/v1/kms/certificate-requests"
_STATES: Final[dict[str, bool | None]] = {"": None, "valid": False, "revoked": True}


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of certificates and of requests for them."""
    here = _Certificates(services.certificates)
    return (*_certificate_routes(here), *_request_routes(here))


def _certificate_routes(here: _Certificates) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=CERTIFICATES,
            operation="list_certificates",
            access=CERTIFICATE_READ,
            handler=here.list_certificates,
            response=CERTIFICATE_PAGE,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{CERTIFICATES}/<certificate_id>",
            operation="show_certificate",
            access=CERTIFICATE_READ,
            handler=here.show_certificate,
            response=CERTIFICATE,
        ),
        Route(
            method="POST",
            path=f"{CERTIFICATES}/<certificate_id>/revoke",
            operation="revoke_certificate",
            access=CERTIFICATE_REVOKE,
            handler=here.revoke_certificate,
            request=REVOKE,
            level=2,
        ),
    )


def _request_routes(here: _Certificates) -> tuple[Route, ...]:
    one = f"{REQUESTS}/<request_id>"
    return (
        Route(
            method="GET",
            path=REQUESTS,
            operation="list_certificate_requests",
            access=CERTIFICATE_READ,
            handler=here.list_certificate_requests,
            response=REQUEST_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=REQUESTS,
            operation="request_certificate",
            access=CERTIFICATE_REQUEST,
            handler=here.request_certificate,
            request=REQUEST_CERTIFICATE,
            response=REQUEST,
        ),
        Route(
            method="GET",
            path=one,
            operation="show_certificate_request",
            access=CERTIFICATE_READ,
            handler=here.show_certificate_request,
            response=REQUEST,
        ),
        Route(
            method="POST",
            path=f"{one}/decision",
            operation="decide_certificate_request",
            access=CERTIFICATE_APPROVE,
            handler=here.decide_certificate_request,
            request=DECIDE,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{one}/certificate",
            operation="issue_certificate",
            access=CERTIFICATE_ISSUE,
            handler=here.issue_certificate,
            response=CERTIFICATE,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Certificates:
    services: CertificateServices

    def list_certificates(self, request: Request) -> Response:
        page = self.services.registry.list_certificates(
            request.caller, wanted_certificates(request), wanted_page(request)
        )
        return page_response(page, certificate_record)

    def show_certificate(self, request: Request) -> Response:
        details = self.services.registry.show_certificate(
            request.caller, request.args["certificate_id"]
        )
        return json_response(details_record(details))

    def revoke_certificate(self, request: Request) -> Response:
        certificate_id = request.args["certificate_id"]
        reason = text_field(request.json_object(), "reason")
        self.services.registry.revoke_certificate(request.caller, certificate_id, reason)
        return json_response({"id": certificate_id, "revoked": True})

    def list_certificate_requests(self, request: Request) -> Response:
        page = self.services.requests.list_certificate_requests(
            request.caller, wanted_page(request)
        )
        return page_response(page, lambda pair: request_record(*pair))

    def show_certificate_request(self, request: Request) -> Response:
        found = self.services.requests.show_certificate_request(
            request.caller, request.args["request_id"]
        )
        return json_response(request_record(*found))

    def request_certificate(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        renews = fields.get("renews")
        if renews is not None and not isinstance(renews, str):
            msg = "renews is the identifier of a certificate"
            raise Invalid(msg)
        wish = CertificateWish(
            profile=text_field(fields, "profile"),
            csr=read_one(text_field(fields, "csr").encode(), "CERTIFICATE REQUEST"),
            reason=text_field(fields, "reason"),
            organization=text_field(fields, "organization") if "organization" in fields else "",
            renews=renews,
        )
        found = self.services.requests.request_certificate(request.caller, wish)
        return json_response(request_record(found, None), 201)

    def decide_certificate_request(self, request: Request) -> Response:
        request_id = request.args["request_id"]
        grant, reason = decision_of(request.json_object())
        approval = self.services.requests.decide_certificate_request(
            request.caller, request_id, grant=grant, reason=reason
        )
        return json_response({"id": request_id, "state": approval.state})

    def issue_certificate(self, request: Request) -> Response:
        issued = self.services.issuing.issue_certificate(request.caller, request.args["request_id"])
        details = self.services.registry.show_certificate(request.caller, issued.id)
        return json_response(details_record(details), 201)


def wanted_certificates(request: Request) -> CertificateFilter:
    """Return what ``q``, ``kind`` and ``state`` of the query string say; raise ``Invalid``."""
    query = request.query
    state = query.get("state", "")
    if state not in _STATES:
        msg = "state is valid or revoked"
        raise Invalid(msg)
    return CertificateFilter(query.get("q", ""), query.get("kind", ""), _STATES[state])
