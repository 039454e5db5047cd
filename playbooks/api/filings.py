"""Duties and reports to authorities over HTTP."""

from __future__ import annotations

from playbooks.api.schemas import DECLARE_DUTY, FILE_REPORT, FILING, body_of, instant_of
from playbooks.service import NewFiling, PlaybooksServices
from playbooks.service.incidents.documents import filing_document
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def declare_duty(self, request: Request) -> Response:
        duty = body_of(request, DECLARE_DUTY)["duty"]
        filing = self._services.filings.declare_duty(
            request.caller, request.args["incident_id"], duty
        )
        return json_response(filing_document(filing), 201)

    def file_report(self, request: Request) -> Response:
        body = body_of(request, FILE_REPORT)
        new = NewFiling(
            duty=body["duty"],
            filed_at=instant_of(body, "filed_at"),
            filed_to=body.get("filed_to", ""),
            reference=body.get("reference", ""),
        )
        filing = self._services.filings.file_report(
            request.caller, request.args["incident_id"], new
        )
        return json_response(filing_document(filing), 201)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of duties and filings."""
    handlers = _Handlers(services)
    one = "/api/v1/playbooks/incidents/<incident_id>"
    return (
        Route(
            method="POST",
            path=f"{one}/duties",
            operation="declare_duty",
            access=INCIDENT_CHANGE,
            handler=handlers.declare_duty,
            request=DECLARE_DUTY,
            response=FILING,
        ),
        Route(
            method="POST",
            path=f"{one}/filings",
            operation="file_report",
            access=INCIDENT_CHANGE,
            handler=handlers.file_report,
            request=FILE_REPORT,
            response=FILING,
        ),
    )
