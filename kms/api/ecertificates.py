"""E-certificates (电子证照) over HTTP: /api/v1/kms/ecertificates; not X.509 certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.api.ecertificate_records import (
    ECERTIFICATE,
    ECERTIFICATE_PAGE,
    FILE_VERDICT,
    ISSUE,
    OPENED,
    PUBLIC_VIEW,
    VERIFY,
    ecertificate_record,
    public_record,
)
from kms.api.seal_records import decoded_field, in_base64, text_field
from kms.api.seal_schemas import REASON
from kms.models.ecertificates import IssueRequest
from kms.models.seals import MAX_FILE
from kms.service import KmsServices
from kms.service.ecertificates.registry import FILTERS
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    ECERTIFICATE_ISSUE,
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
    ECERTIFICATE_RESUME,
    ECERTIFICATE_STOP,
)
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Public, Route

ECERTIFICATES: Final = "/api/v1/kms/ecertificates"
_PUBLIC: Final = Public("whoever is shown an e-certificate may verify it; nothing is stored")
_MAX_VALUES: Final = 100


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of e-certificates."""
    handlers = _ECertificates(services)
    return (*_own(handlers), *_stops(handlers), *_public(handlers))


def _own(handlers: _ECertificates) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=ECERTIFICATES,
            operation="list_ecertificates",
            access=ECERTIFICATE_READ,
            handler=handlers.list_ecertificates,
            response=ECERTIFICATE_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=ECERTIFICATES,
            operation="issue_ecertificate",
            access=ECERTIFICATE_ISSUE,
            handler=handlers.issue_ecertificate,
            request=ISSUE,
            response=ECERTIFICATE,
            level=2,
            fresh_seconds=FRESH_SECONDS,
        ),
        Route(
            method="GET",
            path=f"{ECERTIFICATES}/<ecertificate_id>",
            operation="show_ecertificate",
            access=ECERTIFICATE_READ,
            handler=handlers.show_ecertificate,
            response=ECERTIFICATE,
        ),
        Route(
            method="POST",
            path=f"{ECERTIFICATES}/<ecertificate_id>/open",
            operation="open_ecertificate",
            access=ECERTIFICATE_OPEN,
            handler=handlers.open_ecertificate,
            response=OPENED,
            level=2,
        ),
    )


def _stops(handlers: _ECertificates) -> tuple[Route, ...]:
    acts = (
        ("suspend", ECERTIFICATE_STOP, handlers.suspend_ecertificate),
        ("revoke", ECERTIFICATE_STOP, handlers.revoke_ecertificate),
        ("resume", ECERTIFICATE_RESUME, handlers.resume_ecertificate),
    )
    return tuple(
        Route(
            method="POST",
            path=f"{ECERTIFICATES}/<ecertificate_id>/{verb}",
            operation=f"{verb}_ecertificate",
            access=access,
            handler=handler,
            request=REASON,
            level=2,
        )
        for verb, access, handler in acts
    )


def _public(handlers: _ECertificates) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=f"{ECERTIFICATES}/public/<token>",
            operation="show_public_ecertificate",
            access=_PUBLIC,
            handler=handlers.show_public_ecertificate,
            response=PUBLIC_VIEW,
        ),
        Route(
            method="POST",
            path=f"{ECERTIFICATES}/verify",
            operation="verify_ecertificate",
            access=_PUBLIC,
            handler=handlers.verify_ecertificate,
            request=VERIFY,
            response=FILE_VERDICT,
            max_body=MAX_FILE * 4 // 3 + FRAMING,
        ),
    )


@dataclass(frozen=True, slots=True)
class _ECertificates:
    services: KmsServices

    def list_ecertificates(self, request: Request) -> Response:
        filters = {name: request.query[name] for name in FILTERS if request.query.get(name)}
        registry = self.services.ecertificates.registry
        page = registry.list_ecertificates(request.caller, wanted_page(request), filters)
        now = registry.now()
        return page_response(page, lambda record: ecertificate_record(record, now))

    def issue_ecertificate(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        here = self.services.ecertificates
        issued = here.issuing.issue_ecertificate(request.caller, _wanted(fields))
        return json_response(ecertificate_record(issued, here.registry.now()), 201)

    def show_ecertificate(self, request: Request) -> Response:
        registry = self.services.ecertificates.registry
        found = registry.show_ecertificate(request.caller, request.args["ecertificate_id"])
        record = ecertificate_record(found.record, registry.now())
        return json_response({**record, "replaced_by": found.replaced_by})

    def open_ecertificate(self, request: Request) -> Response:
        opened = self.services.ecertificates.registry.open_ecertificate(
            request.caller, request.args["ecertificate_id"]
        )
        values = [{"title": title, "text": text} for title, text in opened.values]
        document = in_base64(opened.document)
        return json_response({"values": values, "link": opened.link, "document": document})

    def suspend_ecertificate(self, request: Request) -> Response:
        self.services.ecertificates.registry.suspend_ecertificate(*_stopped(request))
        return _state(request, "suspended")

    def revoke_ecertificate(self, request: Request) -> Response:
        self.services.ecertificates.registry.revoke_ecertificate(*_stopped(request))
        return _state(request, "revoked")

    def resume_ecertificate(self, request: Request) -> Response:
        self.services.ecertificates.registry.resume_ecertificate(*_stopped(request))
        return _state(request, "valid")

    def show_public_ecertificate(self, request: Request) -> Response:
        view = self.services.ecertificates.verification.show_public_ecertificate(
            request.args["token"], caller=request.remote
        )
        return json_response(public_record(view))

    def verify_ecertificate(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        verdict = self.services.ecertificates.verification.verify_ecertificate(
            decoded_field(fields, "file"),
            caller=request.remote,
            token=text_field(fields, "token") if "token" in fields else "",
        )
        known = verdict.registered
        return json_response(
            {
                "seal": verdict.report.to_record(),
                "registered": None if known is None else public_record(known),
                "same": verdict.same,
            }
        )


def _wanted(fields: Mapping[str, Any]) -> IssueRequest:
    values = fields.get("values")
    if (
        not isinstance(values, dict)
        or len(values) > _MAX_VALUES
        or not all(isinstance(value, str) for value in values.values())
    ):
        msg = "values is an object of texts"
        raise Invalid(msg)
    more = {name: text_field(fields, name) for name in ("number", "replaces") if name in fields}
    return IssueRequest(text_field(fields, "template_id"), values, **more)


def _stopped(request: Request) -> tuple[Any, str, str]:
    reason = text_field(request.json_object(), "reason")
    return request.caller, request.args["ecertificate_id"], reason


def _state(request: Request, state: str) -> Response:
    return json_response({"id": request.args["ecertificate_id"], "state": state})
