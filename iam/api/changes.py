"""Change requests, people's tables and one's own data as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.api.shapes import Table, enrolment_shape, schema, text
from iam.models.changes import ChangeRequest, ChangeView, NewChange
from iam.models.imports import ImportReport, PersonRow
from iam.service import IamServices
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import ACCOUNT_CREATE, CHANGE_READ, MATRIX_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, SignedIn

_ASK: Final = SignedIn(
    "each kind of change names the permission that asking and approving take", CHANGE_READ
)
_OWN: Final = SignedIn("the handler looks at the caller's own things alone")
MAX_TABLE: Final = 8 << 20
_NEW = schema(
    "NewChangeRequest",
    ("kind", "target", "after", "reason"),
    kind={},
    target={"type": "string", "description": "kind:id, e.g. account:acc_…"},
    after={"type": "object"},
    reason={},
)
_DECISION = schema("ChangeDecision", (), reason={})


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for changes that take two persons, and for imports."""
    calls, people = _Changes(services), _People(services)
    one = "/change-requests/<change>"
    table = Table()
    table.add("GET /permissions", "list_permissions", MATRIX_READ, people.permissions)
    table.add("GET /change-requests", "list_changes", CHANGE_READ, calls.list_all)
    add = table.add
    add("POST /change-requests", "request_change", _ASK, calls.ask, request=_NEW)
    add(f"GET {one}", "view_change", _ASK, calls.view)
    add(f"POST {one}/approve", "approve_change", _ASK, calls.approve, request=_DECISION)
    add(f"POST {one}/reject", "reject_change", _ASK, calls.reject, request=_DECISION)
    add(f"POST {one}/withdraw", "withdraw_change", _ASK, calls.withdraw)
    add("GET /me/change-requests", "list_own_changes", _OWN, calls.own)
    add("GET /me/export", "export_own", _OWN, people.export)
    return (
        *table.routes,
        _table_route("/people/preview", "preview_people", people.preview),
        _table_route("/people", "import_people", people.import_people),
    )


def _table_route(path: str, operation: str, handler: Any) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/iam{path}",
        operation=operation,
        access=ACCOUNT_CREATE,
        handler=handler,
        credential="either",
        level=2,
        max_body=MAX_TABLE,
    )


def change_shape(change: ChangeRequest) -> dict[str, Any]:
    """Return a request as JSON."""
    return {
        "id": change.id,
        "kind": change.kind,
        "target": change.target,
        "before": dict(change.before),
        "after": dict(change.after),
        "reason": change.reason,
        "state": change.state,
        "requester": change.requester_id,
        "requested_at": to_rfc3339(change.requested_at),
        "expires_at": to_rfc3339(change.expires_at),
        "decided_by": change.decided_by,
        "decided_at": rfc3339_or_none(change.decided_at),
        "decision_reason": change.decision_reason,
    }


def view_shape(view: ChangeView) -> dict[str, Any]:
    """Return a request with its differences as JSON."""
    return {
        **change_shape(view.request),
        "differences": [
            {"field": each.field, "before": each.before, "after": each.after}
            for each in view.differences
            if each.changed
        ],
        "stale": view.stale,
        "may_decide": view.may_decide,
        "may_withdraw": view.may_withdraw,
    }


def _row_shape(row: PersonRow) -> dict[str, Any]:
    return {
        "row": row.number,
        "name": row.name,
        "faults": [
            {"column": fault.column, "what": fault.what.en, "remedy": fault.remedy.en}
            for fault in row.faults
        ],
    }


def report_shape(report: ImportReport) -> dict[str, Any]:
    """Return what an import did, or would do, as JSON."""
    return {
        "dry_run": report.dry_run,
        "encoding": report.table.encoding,
        "columns": dict(report.table.columns),
        "unknown_columns": list(report.table.unknown),
        "good": report.good,
        "faulty": report.faulty,
        "faults": [_row_shape(row) for row in report.faults],
        "enrolments": [enrolment_shape(each) for each in report.enrolments],
    }


@dataclass(frozen=True, slots=True)
class _Changes:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.power.changes.list_changes(
            request.caller, asked, pending=request.query.get("state", "pending") == "pending"
        )
        return page_response(page, change_shape)

    def own(self, request: Request) -> Response:
        own = self.services.power.changes.own_changes(request.caller)
        return json_response({"items": [change_shape(each) for each in own], "next": None})

    def ask(self, request: Request) -> Response:
        body = request.json_object()
        after = body.get("after")
        if not isinstance(after, dict):
            msg = "after is an object: how the target shall look"
            raise Invalid(msg)
        new = NewChange(text(body, "kind"), text(body, "target"), after, text(body, "reason"))
        change = self.services.power.changes.request_change(request.caller, new)
        return json_response(change_shape(change), 201)

    def view(self, request: Request) -> Response:
        view = self.services.power.changes.view_change(request.caller, request.args["change"])
        return json_response(view_shape(view))

    def approve(self, request: Request) -> Response:
        change = self.services.power.changes.approve_change(
            request.caller, request.args["change"], text(request.json_object(), "reason", "")
        )
        return json_response(change_shape(change))

    def reject(self, request: Request) -> Response:
        change = self.services.power.changes.reject_change(
            request.caller, request.args["change"], text(request.json_object(), "reason", "")
        )
        return json_response(change_shape(change))

    def withdraw(self, request: Request) -> Response:
        change = self.services.power.changes.withdraw_change(request.caller, request.args["change"])
        return json_response(change_shape(change))


@dataclass(frozen=True, slots=True)
class _People:
    services: IamServices

    def preview(self, request: Request) -> Response:
        report = self.services.power.imports.preview_people(
            request.caller, request.body, _mapping(request)
        )
        return json_response(report_shape(report))

    def import_people(self, request: Request) -> Response:
        report = self.services.power.imports.import_people(
            request.caller,
            request.body,
            "good" if request.query.get("rows") == "good" else "all",
            columns=_mapping(request),
        )
        return json_response(report_shape(report), 201)

    def permissions(self, request: Request) -> Response:
        items = [
            {
                "permission": row.permission,
                "title": {"zh": row.title.zh, "en": row.title.en},
                "roles": sorted(row.roles),
                "clauses": list(row.clauses),
            }
            for row in self.services.power.matrix.list_permissions(request.caller)
        ]
        return json_response({"items": items, "next": None})

    def export(self, request: Request) -> Response:
        return json_response(dict(self.services.power.own.export_own(request.caller)))


def _mapping(request: Request) -> dict[str, str]:
    """Return ``column.FIELD=HEADING`` of the query string."""
    return {
        name.removeprefix("column."): value
        for name, value in request.query.items()
        if name.startswith("column.")
    }
