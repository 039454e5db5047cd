"""The register of playbooks over HTTP."""

from __future__ import annotations

from typing import Final

import orjson

from playbooks.api.schemas import PLAYBOOK, page_schema
from playbooks.service import PlaybooksServices, check_playbook
from playbooks.service.incidents.documents import playbook_document, problem_document
from secops.kernel.permissions.playbooks import (
    PLAYBOOK_APPROVE,
    PLAYBOOK_IMPORT,
    PLAYBOOK_READ,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route

PLAYBOOKS: Final = "/api/v1/playbooks/playbooks"
_FRESH_S: Final = 900


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def list_playbooks(self, request: Request) -> Response:
        page = self._services.playbooks.list_playbooks(request.caller, wanted_page(request))
        items = [playbook_document(one) for one in page.items]
        return json_response({"items": items, "next": page.next})

    def show_playbook(self, request: Request) -> Response:
        entry = self._services.playbooks.show_playbook(request.caller, request.args["content_hash"])
        content = orjson.loads(entry.content)
        return json_response({**playbook_document(entry), "content": content})

    def check_playbook(self, request: Request) -> Response:
        checked, problems = check_playbook(request.body)
        found = [problem_document(problem) for problem in problems]
        return json_response({"valid": checked is not None, "problems": found})

    def import_playbook(self, request: Request) -> Response:
        entry = self._services.playbooks.import_playbook(request.caller, request.body)
        return json_response(playbook_document(entry), 201)

    def approve_playbook(self, request: Request) -> Response:
        entry = self._services.playbooks.approve_playbook(
            request.caller, request.args["content_hash"]
        )
        return json_response(playbook_document(entry))


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of playbooks."""
    handlers = _Handlers(services)
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
            path=f"{PLAYBOOKS}/<content_hash>",
            operation="show_playbook",
            access=PLAYBOOK_READ,
            handler=handlers.show_playbook,
            response=PLAYBOOK,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/check",
            operation="check_playbook",
            access=PLAYBOOK_READ,
            handler=handlers.check_playbook,
        ),
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
            path=f"{PLAYBOOKS}/<content_hash>/approve",
            operation="approve_playbook",
            access=PLAYBOOK_APPROVE,
            handler=handlers.approve_playbook,
            response=PLAYBOOK,
            level=2,
            fresh_seconds=_FRESH_S,
        ),
    )
