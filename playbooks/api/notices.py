"""The issuer's side of notices over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playbooks.api.notice_schemas import (
    DECIDE_DIGEST,
    DECIDE_PETITION,
    DELIVERY,
    DRAFT_NOTICE,
    ISSUE_NOTICE,
    NOTICE,
    PETITION,
    RECHECK,
    REVISE_NOTICE,
    SCORES,
    VERIFY_NOTICE,
    WITH_REASON,
)
from playbooks.api.schemas import FRESH, body_of, page_schema
from playbooks.models.notices import Content, Notice
from playbooks.service import PlaybooksServices
from playbooks.service.notices.documents import (
    delivery_document,
    notice_document,
    notice_view_document,
    petition_document,
    recheck_document,
    scores_document,
)
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    NOTICE_APPROVE,
    NOTICE_DRAFT,
    NOTICE_ISSUE,
    NOTICE_READ,
    NOTICE_VERIFY,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

NOTICES: Final = "/api/v1/playbooks/notices"
ONE: Final = f"{NOTICES}/<notice_id>"
_UNIT: Final = f"{ONE}/units/<unit_id>"


class _Reading:
    def __init__(self, services: PlaybooksServices) -> None:
        self._notices = services.notices

    def list_notices(self, request: Request) -> Response:
        page = self._notices.views.list_notices(
            request.caller, request.query.get("state", ""), wanted_page(request)
        )
        return page_response(page, notice_document)

    def show_notice(self, request: Request) -> Response:
        view = self._notices.views.show_notice(request.caller, request.args["notice_id"])
        return json_response(notice_view_document(view))

    def score_units(self, request: Request) -> Response:
        year = request.query.get("year", "")
        if not (year.isascii() and year.isdigit() and len(year) == 4):  # noqa: PLR2004
            msg = "year has four digits"
            raise Invalid(msg)
        scores, names = self._notices.views.score_units(request.caller, int(year))
        return json_response(scores_document(scores, names))


class _Drafting:
    def __init__(self, services: PlaybooksServices) -> None:
        self._notices = services.notices

    def draft_notice(self, request: Request) -> Response:
        content = _content(body_of(request, DRAFT_NOTICE))
        return _answer(self._notices.drafting.draft_notice(request.caller, content), 201)

    def revise_notice(self, request: Request) -> Response:
        body = dict(body_of(request, REVISE_NOTICE))
        version = body.pop("version")
        return _answer(
            self._notices.drafting.revise_notice(
                request.caller, request.args["notice_id"], _content(body), version
            )
        )

    def submit_notice(self, request: Request) -> Response:
        notice_id = request.args["notice_id"]
        return _answer(self._notices.drafting.submit_notice(request.caller, notice_id))

    def recall_notice(self, request: Request) -> Response:
        notice_id = request.args["notice_id"]
        return _answer(self._notices.drafting.recall_notice(request.caller, notice_id))

    def archive_notice(self, request: Request) -> Response:
        notice_id = request.args["notice_id"]
        return _answer(self._notices.drafting.archive_notice(request.caller, notice_id))

    def withdraw_notice(self, request: Request) -> Response:
        reason = body_of(request, WITH_REASON)["reason"]
        return _answer(
            self._notices.drafting.withdraw_notice(
                request.caller, request.args["notice_id"], reason
            )
        )


class _Judging:
    def __init__(self, services: PlaybooksServices) -> None:
        self._notices = services.notices

    def decide_notice(self, request: Request) -> Response:
        body = body_of(request, DECIDE_DIGEST)
        return _answer(
            self._notices.issuing.decide_notice(
                request.caller,
                request.args["notice_id"],
                body["digest"],
                grant=body["grant"],
                reason=body.get("reason", ""),
            )
        )

    def issue_notice(self, request: Request) -> Response:
        seal = body_of(request, ISSUE_NOTICE).get("seal_id", "")
        return _answer(
            self._notices.issuing.issue_notice(request.caller, request.args["notice_id"], seal)
        )

    def recheck_notice(self, request: Request) -> Response:
        found = self._notices.verifying.recheck_notice(
            request.caller, request.args["notice_id"], request.args["unit_id"]
        )
        return json_response(recheck_document(found))

    def verify_notice(self, request: Request) -> Response:
        body = body_of(request, VERIFY_NOTICE)
        delivery = self._notices.verifying.verify_notice(
            request.caller,
            request.args["notice_id"],
            request.args["unit_id"],
            body["verdict"],
            body["reason"],
        )
        return json_response(delivery_document(delivery))

    def decide_petition(self, request: Request) -> Response:
        body = body_of(request, DECIDE_PETITION)
        petition = self._notices.verifying.decide_petition(
            request.caller,
            request.args["notice_id"],
            request.args["petition_id"],
            grant=body["grant"],
            reason=body["reason"],
        )
        return json_response(petition_document(petition))


def _content(body: Mapping[str, Any]) -> Content:
    values = {"urgent": False, **body}
    return Content(**{**values, "units": tuple(values["units"])})


def _answer(notice: Notice, status: int = 200) -> Response:
    return json_response(notice_document(notice), status)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of the issuer's side."""
    here = _Reading(services)
    reading = (
        Route(
            method="GET",
            path=NOTICES,
            operation="list_notices",
            access=NOTICE_READ,
            handler=here.list_notices,
            response=page_schema("Notice"),
            listing=True,
        ),
        Route(
            method="GET",
            path=ONE,
            operation="show_notice",
            access=NOTICE_READ,
            handler=here.show_notice,
            response=NOTICE,
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/notice-scores",
            operation="score_units",
            access=NOTICE_READ,
            handler=here.score_units,
            response=SCORES,
        ),
    )
    return (*reading, *_changing(_Drafting(services), _Judging(services)))


def _changing(draft: _Drafting, judge: _Judging) -> tuple[Route, ...]:
    wanted = (
        (NOTICES, NOTICE_DRAFT, draft.draft_notice, DRAFT_NOTICE, NOTICE),
        (f"{ONE}/revision", NOTICE_DRAFT, draft.revise_notice, REVISE_NOTICE, NOTICE),
        (f"{ONE}/submission", NOTICE_DRAFT, draft.submit_notice, None, NOTICE),
        (f"{ONE}/recall", NOTICE_DRAFT, draft.recall_notice, None, NOTICE),
        (f"{ONE}/archive", NOTICE_DRAFT, draft.archive_notice, None, NOTICE),
        (f"{ONE}/withdrawal", NOTICE_READ, draft.withdraw_notice, WITH_REASON, NOTICE),
        (f"{ONE}/decision", NOTICE_APPROVE, judge.decide_notice, DECIDE_DIGEST, NOTICE),
        (f"{ONE}/issue", NOTICE_ISSUE, judge.issue_notice, ISSUE_NOTICE, NOTICE),
        (f"{_UNIT}/recheck", NOTICE_VERIFY, judge.recheck_notice, None, RECHECK),
        (f"{_UNIT}/verdict", NOTICE_VERIFY, judge.verify_notice, VERIFY_NOTICE, DELIVERY),
        (
            f"{ONE}/petitions/<petition_id>",
            NOTICE_APPROVE,
            judge.decide_petition,
            DECIDE_PETITION,
            PETITION,
        ),
    )
    fresh: dict[str, Mapping[str, Any]] = {
        "decide_notice": FRESH,
        "decide_petition": FRESH,
        "issue_notice": {**FRESH, "fresh_seconds": FRESH_SECONDS},
    }
    return tuple(
        named_route(
            "POST",
            path,
            access,
            handler,
            request=schema,
            response=answer,
            **fresh.get(handler.__name__, {}),
        )
        for path, access, handler, schema, answer in wanted
    )
