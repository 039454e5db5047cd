"""Incidents over HTTP."""

from __future__ import annotations

from typing import Final, cast

from playbooks.api.schemas import (
    CHANGE_STATE,
    INCIDENT,
    JUDGE,
    LINK,
    NOTE,
    OPEN_INCIDENT,
    body_of,
    page_schema,
)
from playbooks.models.reports import ReportFormat, ReportKind
from playbooks.service import Judgement, NewIncident, PlaybooksServices, StateChange
from playbooks.service.incidents.documents import (
    incident_document,
    incident_view_document,
    notification_document,
)
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    INCIDENT_CHANGE,
    INCIDENT_OPEN,
    INCIDENT_READ,
    INCIDENT_REPORT,
    NOTIFICATION_READ,
)
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

INCIDENTS: Final = "/api/v1/playbooks/incidents"
_ONE: Final = f"{INCIDENTS}/<incident_id>"
_TYPES: Final = {
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def list_incidents(self, request: Request) -> Response:
        query = request.query
        page = self._services.incidents.list_incidents(
            request.caller,
            query.get("state", ""),
            wanted_page(request),
            drills=query.get("drills") != "no",
        )
        return page_response(page, incident_document)

    def open_incident(self, request: Request) -> Response:
        body = body_of(request, OPEN_INCIDENT)
        incident = self._services.incidents.open_incident(
            request.caller,
            NewIncident(
                alert_id=body.get("alert_id"),
                title=body.get("title", ""),
                severity=body.get("severity", "medium"),
                drill=body.get("drill", False),
            ),
        )
        return json_response(incident_document(incident), 201)

    def show_incident(self, request: Request) -> Response:
        view = self._services.incidents.show_incident(request.caller, request.args["incident_id"])
        return json_response(incident_view_document(view))

    def change_state(self, request: Request) -> Response:
        body = body_of(request, CHANGE_STATE)
        incident = self._services.incidents.change_state(
            request.caller,
            request.args["incident_id"],
            body["state"],
            StateChange(
                reason=body.get("reason", ""),
                ending=body.get("ending"),
                duplicate_of=body.get("duplicate_of", ""),
                version=body.get("version"),
            ),
        )
        return json_response(incident_document(incident))

    def judge_incident(self, request: Request) -> Response:
        judgement = Judgement(**body_of(request, JUDGE))
        incident = self._services.incidents.judge_incident(
            request.caller, request.args["incident_id"], judgement
        )
        return json_response(incident_document(incident))

    def add_note(self, request: Request) -> Response:
        text = body_of(request, NOTE)["text"]
        self._services.incidents.add_note(request.caller, request.args["incident_id"], text)
        return json_response({"added": True}, 201)

    def link_alert(self, request: Request) -> Response:
        alert_id = body_of(request, LINK)["alert_id"]
        self._services.incidents.link_alert(request.caller, request.args["incident_id"], alert_id)
        return json_response({"linked": True}, 201)

    def report_incident(self, request: Request) -> Response:
        wanted = request.query.get("format", "html")
        if wanted not in _TYPES:
            msg = f"format is one of {', '.join(_TYPES)}"
            raise Invalid(msg)
        content = self._services.reports.report_incident(
            request.caller,
            request.args["incident_id"],
            output=cast("ReportFormat", wanted),
            kind=cast("ReportKind", request.query.get("kind", "full")),
            language=request.language,
        )
        return file_response(content, _TYPES[wanted], f"{request.args['incident_id']}.{wanted}")

    def list_notifications(self, request: Request) -> Response:
        page = self._services.inbox.list_notifications(request.caller, wanted_page(request))
        return page_response(page, notification_document)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of incidents and notifications."""
    handlers = _Handlers(services)
    return (*_reading(handlers), *_changing(handlers))


def _reading(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=INCIDENTS,
            operation="list_incidents",
            access=INCIDENT_READ,
            handler=handlers.list_incidents,
            response=page_schema("Incident"),
            listing=True,
        ),
        Route(
            method="GET",
            path=_ONE,
            operation="show_incident",
            access=INCIDENT_READ,
            handler=handlers.show_incident,
            response=INCIDENT,
        ),
        Route(
            method="GET",
            path=f"{_ONE}/report",
            operation="report_incident",
            access=INCIDENT_REPORT,
            handler=handlers.report_incident,
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/notifications",
            operation="list_notifications",
            access=NOTIFICATION_READ,
            handler=handlers.list_notifications,
            response=page_schema("Notification"),
            listing=True,
        ),
    )


def _changing(handlers: _Handlers) -> tuple[Route, ...]:
    opening = Route(
        method="POST",
        path=INCIDENTS,
        operation="open_incident",
        access=INCIDENT_OPEN,
        handler=handlers.open_incident,
        request=OPEN_INCIDENT,
        response=INCIDENT,
    )
    changes = (
        ("state", "change_incident_state", handlers.change_state, CHANGE_STATE),
        ("judgement", "judge_incident", handlers.judge_incident, JUDGE),
        ("notes", "add_incident_note", handlers.add_note, NOTE),
        ("alerts", "link_alert", handlers.link_alert, LINK),
    )
    return (
        opening,
        *(
            Route(
                method="POST",
                path=f"{_ONE}/{word}",
                operation=operation,
                access=INCIDENT_CHANGE,
                handler=handler,
                request=schema,
            )
            for word, operation, handler, schema in changes
        ),
    )
