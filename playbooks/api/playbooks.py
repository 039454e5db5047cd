"""The register of playbooks over HTTP."""

from __future__ import annotations

from typing import Final

import orjson

from playbooks.api.schemas import FRESH, PLAYBOOK, PLAYBOOK_DECISION, body_of, page_schema
from playbooks.service import PlaybooksServices, check_playbook
from playbooks.service.incidents.documents import problem_document
from playbooks.service.playbooks.documents import (
    imported_document,
    playbook_document,
    playbook_view_document,
)
from secops.kernel.permissions.playbooks import (
    PLAYBOOK_APPROVE,
    PLAYBOOK_IMPORT,
    PLAYBOOK_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

PLAYBOOKS: Final = "/api/v1/playbooks/playbooks"
_ONE: Final = f"{PLAYBOOKS}/<content_hash>"


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services.playbooks

    def list_playbooks(self, request: Request) -> Response:
        page = self._services.list_playbooks(request.caller, wanted_page(request))
        return page_response(page, playbook_view_document)

    def show_playbook(self, request: Request) -> Response:
        view = self._services.show_playbook(request.caller, request.args["content_hash"])
        content = orjson.loads(view.entry.content)
        signatures = [dict(one) for one in view.entry.signatures]
        document = {**playbook_view_document(view), "content": content, "signatures": signatures}
        return json_response(document)

    def export_playbook(self, request: Request) -> Response:
        content = self._services.export_playbook(request.caller, request.args["content_hash"])
        return Response(200, (("content-type", "application/json"),), content)

    def check_playbook(self, request: Request) -> Response:
        checked, problems = check_playbook(request.body)
        found = [problem_document(problem) for problem in problems]
        return json_response({"valid": checked is not None, "problems": found})

    def import_playbook(self, request: Request) -> Response:
        imported = self._services.import_playbook(request.caller, request.body)
        return json_response(imported_document(imported), 201)

    def adopt_playbook(self, request: Request) -> Response:
        entry = self._services.adopt_playbook(request.caller, request.args["name"])
        return json_response(playbook_document(entry), 201)

    def approve_playbook(self, request: Request) -> Response:
        body = body_of(request, PLAYBOOK_DECISION) if request.body else {}
        entry = self._services.approve_playbook(
            request.caller,
            request.args["content_hash"],
            grant=body.get("grant", True),
            reason=body.get("reason", ""),
        )
        return json_response(playbook_document(entry))

    def retire_playbook(self, request: Request) -> Response:
        entry = self._services.retire_playbook(request.caller, request.args["content_hash"])
        return json_response(playbook_document(entry))


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of playbooks."""
    handlers = _Handlers(services)
    return (*_reading(handlers), *_changing(handlers))


def _reading(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=PLAYBOOKS,
            operation="list_playbooks",
            access=PLAYBOOK_READ,
            handler=handlers.list_playbooks,
            response=page_schema("Playbook"),
            listing=True,
        ),
        Route(
            method="GET",
            path=_ONE,
            operation="show_playbook",
            access=PLAYBOOK_READ,
            handler=handlers.show_playbook,
            response=PLAYBOOK,
        ),
        Route(
            method="GET",
            path=f"{_ONE}/file",
            operation="export_playbook",
            access=PLAYBOOK_READ,
            handler=handlers.export_playbook,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/check",
            operation="check_playbook",
            access=PLAYBOOK_READ,
            handler=handlers.check_playbook,
        ),
    )


def _changing(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=PLAYBOOKS,
            operation="import_playbook",
            access=PLAYBOOK_IMPORT,
            handler=handlers.import_playbook,
            response=PLAYBOOK,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/packaged/<name>/adopt",
            operation="adopt_playbook",
            access=PLAYBOOK_IMPORT,
            handler=handlers.adopt_playbook,
            response=PLAYBOOK,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/approve",
            operation="approve_playbook",
            access=PLAYBOOK_APPROVE,
            handler=handlers.approve_playbook,
            request=PLAYBOOK_DECISION,
            response=PLAYBOOK,
            **FRESH,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/retire",
            operation="retire_playbook",
            access=PLAYBOOK_APPROVE,
            handler=handlers.retire_playbook,
            response=PLAYBOOK,
        ),
    )
