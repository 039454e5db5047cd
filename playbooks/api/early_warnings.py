"""Early warnings over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.api.notice_schemas import (
    DECIDE_DIGEST,
    DRAFT_WARNING,
    REVISE_WARNING,
    WARNING,
    WITH_REASON,
)
from playbooks.api.schemas import FRESH, body_of, needed_instant, page_schema
from playbooks.models.early_warnings import EarlyWarning, WarningContent
from playbooks.service import PlaybooksServices
from playbooks.service.notices.documents import seen_warning_document, warning_document
from secops.kernel.permissions.playbooks import NOTICE_READ, WARNING_APPROVE, WARNING_DRAFT
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, SignedIn, named_route

WARNINGS: Final = "/api/v1/playbooks/early-warnings"
ONE: Final = f"{WARNINGS}/<warning_id>"
_ALL: Final = SignedIn("who is warned may know: everybody of the issuer and below it")


class _Reading:
    def __init__(self, services: PlaybooksServices) -> None:
        self._views = services.notices.warning_views

    def warnings_in_force(self, request: Request) -> Response:
        found = self._views.warnings_in_force(request.caller)
        return json_response({"items": [seen_warning_document(each) for each in found]})

    def list_warnings(self, request: Request) -> Response:
        page = self._views.list_warnings(
            request.caller, request.query.get("state", ""), wanted_page(request)
        )
        return page_response(page, warning_document)

    def show_warning(self, request: Request) -> Response:
        return _answer(self._views.show_warning(request.caller, request.args["warning_id"]))


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._warnings = services.notices.warnings

    def draft_warning(self, request: Request) -> Response:
        content = _content(body_of(request, DRAFT_WARNING))
        return _answer(self._warnings.draft_warning(request.caller, content), 201)

    def revise_warning(self, request: Request) -> Response:
        body = dict(body_of(request, REVISE_WARNING))
        version = body.pop("version")
        return _answer(
            self._warnings.revise_warning(
                request.caller, request.args["warning_id"], _content(body), version
            )
        )

    def submit_warning(self, request: Request) -> Response:
        return _answer(self._warnings.submit_warning(request.caller, request.args["warning_id"]))

    def adjust_warning(self, request: Request) -> Response:
        content = _content(body_of(request, DRAFT_WARNING))
        return _answer(
            self._warnings.adjust_warning(request.caller, request.args["warning_id"], content)
        )

    def decide_warning(self, request: Request) -> Response:
        body = body_of(request, DECIDE_DIGEST)
        return _answer(
            self._warnings.decide_warning(
                request.caller,
                request.args["warning_id"],
                body["digest"],
                grant=body["grant"],
                reason=body.get("reason", ""),
            )
        )

    def issue_warning(self, request: Request) -> Response:
        return _answer(self._warnings.issue_warning(request.caller, request.args["warning_id"]))

    def lift_warning(self, request: Request) -> Response:
        reason = body_of(request, WITH_REASON)["reason"]
        return _answer(
            self._warnings.lift_warning(request.caller, request.args["warning_id"], reason)
        )

    def withdraw_warning(self, request: Request) -> Response:
        reason = body_of(request, WITH_REASON)["reason"]
        return _answer(
            self._warnings.withdraw_warning(request.caller, request.args["warning_id"], reason)
        )


def _content(body: Mapping[str, Any]) -> WarningContent:
    return WarningContent(**{**body, "ends_at": needed_instant(body, "ends_at")})


def _answer(warning: EarlyWarning, status: int = 200) -> Response:
    return json_response(warning_document(warning), status)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of early warnings."""
    here, seen = _Handlers(services), _Reading(services)
    reading = (
        Route(
            method="GET",
            path="/api/v1/playbooks/early-warnings-in-force",
            operation="warnings_in_force",
            access=_ALL,
            handler=seen.warnings_in_force,
        ),
        Route(
            method="GET",
            path=WARNINGS,
            operation="list_warnings",
            access=NOTICE_READ,
            handler=seen.list_warnings,
            response=page_schema("EarlyWarning"),
            listing=True,
        ),
        Route(
            method="GET",
            path=ONE,
            operation="show_warning",
            access=NOTICE_READ,
            handler=seen.show_warning,
            response=WARNING,
        ),
    )
    wanted = (
        (WARNINGS, WARNING_DRAFT, here.draft_warning, DRAFT_WARNING),
        (f"{ONE}/revision", WARNING_DRAFT, here.revise_warning, REVISE_WARNING),
        (f"{ONE}/submission", WARNING_DRAFT, here.submit_warning, None),
        (f"{ONE}/adjustment", WARNING_DRAFT, here.adjust_warning, DRAFT_WARNING),
        (f"{ONE}/decision", WARNING_APPROVE, here.decide_warning, DECIDE_DIGEST),
        (f"{ONE}/issue", WARNING_DRAFT, here.issue_warning, None),
        (f"{ONE}/lifting", WARNING_APPROVE, here.lift_warning, WITH_REASON),
        (f"{ONE}/withdrawal", WARNING_DRAFT, here.withdraw_warning, WITH_REASON),
    )
    changing = (
        named_route(
            "POST",
            path,
            access,
            handler,
            request=schema,
            response=WARNING,
            **(FRESH if access == WARNING_APPROVE else {}),
        )
        for path, access, handler, schema in wanted
    )
    return (*reading, *changing)
