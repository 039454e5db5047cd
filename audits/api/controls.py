"""HTTP of items over time: history, gaps, evidence, and assessments made again by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.api.bodies import COUNT, TEXT, body_of, body_schema
from audits.models.systems import THIS_INSTANCE
from audits.service import AuditsServices
from audits.service.assessments.documents import change_view, gap_view, schedule_view
from secops.kernel.permissions.audits import ASSESS, READ_ASSESSMENTS
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_DAY_HOURS: Final = 24
_SCHEDULE: Final = body_schema(
    "AssessmentSchedule", (), standard=TEXT, level=COUNT, hours=COUNT, system=TEXT
)


@dataclass(frozen=True, slots=True)
class _Controls:
    services: AuditsServices

    def list_history(self, request: Request) -> Response:
        args = request.args
        page = self.services.controls.list_history(
            request.caller,
            args["standard"],
            args["item"],
            wanted_page(request),
            request.query.get("system", THIS_INSTANCE),
        )
        return page_response(page, change_view)

    def list_gaps(self, request: Request) -> Response:
        gaps = self.services.controls.list_gaps(request.caller)
        return json_response({"items": [gap_view(gap) for gap in gaps], "next": None})

    def show_evidence(self, request: Request) -> Response:
        args = request.args
        shown = self.services.assessments.show_evidence(
            request.caller, args["assessment_id"], args["digest"]
        )
        return json_response(shown)

    def schedule_assessment(self, request: Request) -> Response:
        body = body_of(request, _SCHEDULE)
        schedule = self.services.schedules.schedule_assessment(
            request.caller,
            body.get("standard", "gbt22239"),
            body.get("level", 3),
            body.get("hours", _DAY_HOURS),
            body.get("system", THIS_INSTANCE),
        )
        return json_response(schedule_view(schedule), 201)

    def list_schedules(self, request: Request) -> Response:
        page = self.services.schedules.list_schedules(request.caller, wanted_page(request))
        return page_response(page, schedule_view)

    def cancel_schedule(self, request: Request) -> Response:
        self.services.schedules.cancel_schedule(request.caller, request.args["schedule_id"])
        return Response(204)


def control_routes(services: AuditsServices) -> Sequence[Route]:
    """Return the routes of items over time."""
    here, base = _Controls(services), "/api/v1/audits"
    one = f"{base}/schedules/<schedule_id>"
    return (
        named_route(
            "GET",
            f"{base}/controls/<standard>/<item>/history",
            READ_ASSESSMENTS,
            here.list_history,
            listing=True,
        ),
        named_route("GET", f"{base}/gaps", READ_ASSESSMENTS, here.list_gaps),
        named_route(
            "GET",
            f"{base}/assessments/<assessment_id>/evidence/<digest>",
            READ_ASSESSMENTS,
            here.show_evidence,
        ),
        named_route(
            "POST",
            f"{base}/schedules",
            ASSESS,
            here.schedule_assessment,
            request=_SCHEDULE,
        ),
        named_route(
            "GET", f"{base}/schedules", READ_ASSESSMENTS, here.list_schedules, listing=True
        ),
        named_route("DELETE", one, ASSESS, here.cancel_schedule),
    )
