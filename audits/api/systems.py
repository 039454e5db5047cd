"""The register of systems over HTTP. Fields are texts, as in the tables that are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from audits.api.bodies import MAX_INTEGER, body_of, body_schema
from audits.models.calculations import DEGREES, HARMED, Degree, Harmed
from audits.models.filing import FILING_FORMS
from audits.models.forms import FORMS
from audits.service.reports.forms import form_named
from audits.service.systems.documents import (
    access_document,
    asset_document,
    asset_view_document,
    coverage_document,
    grading_document,
    import_document,
    system_document,
    system_view_document,
)
from audits.service.systems.register import RegisterServices
from audits.service.systems.tables import MAX_TABLE, XLSX
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_BASE: Final = "/api/v1/audits"
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 1_000}
_VERSION: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_FIELDS: Final = Schema("RegisterFields", {"type": "object", "additionalProperties": _TEXT})
_CHANGE: Final = body_schema(
    "RegisterChange", ("version", "fields"), version=_VERSION, fields={"type": "object"}
)
_RETIREMENT: Final = body_schema(
    "RegisterRetirement", ("version", "reason"), version=_VERSION, reason=_TEXT
)
_ENDING: Final = body_schema("SupplierAccessEnding", ("version",), version=_VERSION)
_HARM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {who: {"enum": list(DEGREES)} for who in HARMED},
    "additionalProperties": False,
}
_HARMS: Final = body_schema(
    "HarmOfSystem", ("information", "service"), information=_HARM, service=_HARM
)


class _Systems:
    def __init__(self, register: RegisterServices) -> None:
        self._register = register

    def add_system(self, request: Request) -> Response:
        system = self._register.systems.add_system(request.caller, fields_of(request))
        return json_response(system_document(system), 201)

    def change_system(self, request: Request) -> Response:
        version, fields = _change(request)
        system = self._register.systems.change_system(
            request.caller, request.args["system_id"], version, fields
        )
        return json_response(system_document(system))

    def retire_system(self, request: Request) -> Response:
        version, reason = _retirement(request)
        system = self._register.systems.retire_system(
            request.caller, request.args["system_id"], version, reason
        )
        return json_response(system_document(system))

    def list_systems(self, request: Request) -> Response:
        page = self._register.systems.list_systems(request.caller, wanted_page(request))
        return page_response(page, system_document)

    def show_system(self, request: Request) -> Response:
        view = self._register.systems.show_system(request.caller, request.args["system_id"])
        return json_response(system_view_document(view))

    def grade_system(self, request: Request) -> Response:
        body = request.json_object()
        information, service = (_harm(body.get(name)) for name in ("information", "service"))
        grading = self._register.systems.grade_system(request.caller, information, service)
        return json_response(grading_document(grading))

    def export_filing_sheet(self, request: Request) -> Response:
        form = form_named(request.query.get("format", "xlsx"), FILING_FORMS)
        content = self._register.systems.export_filing_sheet(
            request.caller, request.args["system_id"], form, request.language
        )
        return file_response(content, FORMS[form].media_type, f"filing.{form}")


class _Assets:
    def __init__(self, register: RegisterServices) -> None:
        self._assets = register.assets

    def add_asset(self, request: Request) -> Response:
        asset = self._assets.add_asset(
            request.caller, request.args["system_id"], fields_of(request)
        )
        return json_response(asset_document(asset), 201)

    def change_asset(self, request: Request) -> Response:
        version, fields = _change(request)
        asset = self._assets.change_asset(request.caller, request.args["asset_id"], version, fields)
        return json_response(asset_document(asset))

    def retire_asset(self, request: Request) -> Response:
        version, reason = _retirement(request)
        asset = self._assets.retire_asset(request.caller, request.args["asset_id"], version, reason)
        return json_response(asset_document(asset))

    def list_assets(self, request: Request) -> Response:
        page = self._assets.list_assets(
            request.caller, request.args["system_id"], wanted_page(request)
        )
        return page_response(page, asset_document)

    def show_asset(self, request: Request) -> Response:
        view = self._assets.show_asset(request.caller, request.args["asset_id"])
        return json_response(asset_view_document(view))

    def show_source_coverage(self, request: Request) -> Response:
        return json_response(coverage_document(self._assets.show_source_coverage(request.caller)))


class _Suppliers:
    def __init__(self, register: RegisterServices) -> None:
        self._suppliers = register.suppliers

    def add_supplier_access(self, request: Request) -> Response:
        system_id = request.args["system_id"]
        access = self._suppliers.add_supplier_access(request.caller, system_id, fields_of(request))
        return json_response({"id": access.id, "version": access.version}, 201)

    def end_supplier_access(self, request: Request) -> Response:
        access = self._suppliers.end_supplier_access(
            request.caller, request.args["access_id"], body_of(request, _ENDING)["version"]
        )
        return json_response({"id": access.id, "version": access.version})

    def list_supplier_accesses(self, request: Request) -> Response:
        page = self._suppliers.list_supplier_accesses(request.caller, wanted_page(request))
        return page_response(page, access_document)


class _Tables:
    def __init__(self, register: RegisterServices) -> None:
        self._tables = register.tables

    def preview_systems(self, request: Request) -> Response:
        return json_response(
            import_document(self._tables.preview_systems(request.caller, request.body))
        )

    def import_systems(self, request: Request) -> Response:
        report = self._tables.import_systems(request.caller, request.body)
        return json_response(import_document(report), 201)

    def export_systems(self, request: Request) -> Response:
        form = request.query.get("format", "xlsx")
        kind = request.query.get("kind", "systems")
        if form == "xlsx":
            content = self._tables.export_systems(request.caller, request.language)
            return file_response(content, XLSX, "register.xlsx")
        if form != "csv" or kind not in ("systems", "assets"):
            raise Invalid("format is xlsx or csv, kind is systems or assets")
        table = self._tables.export_table(
            request.caller, "assets" if kind == "assets" else "systems", request.language
        )
        return file_response(table, "text/csv; charset=utf-8", f"{kind}.csv")


def fields_of(request: Request) -> Mapping[str, str]:
    """Return the body's fields; raise ``Invalid`` for anything but texts."""
    return _texts(request.json_object())


def _texts(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Invalid("fields are texts by their names")
    return value


def _change(request: Request) -> tuple[int, Mapping[str, str]]:
    body = body_of(request, _CHANGE)
    return body["version"], _texts(body["fields"])


def _retirement(request: Request) -> tuple[int, str]:
    body = body_of(request, _RETIREMENT)
    return body["version"], body["reason"]


def _harm(value: Any) -> dict[Harmed, Degree]:
    """Return whom harm meets and how badly; the calculator refuses words it does not know."""
    harm: dict[Any, Any] = dict(_texts(value))
    return harm


def systems_routes(register: RegisterServices) -> tuple[Route, ...]:
    """Return the routes of the register."""
    systems, assets = _Systems(register), _Assets(register)
    one, asset = f"{_BASE}/systems/<system_id>", f"{_BASE}/assets/<asset_id>"
    return (
        *_table_routes(_Tables(register)),
        named_route("GET", f"{_BASE}/systems", READ_REGISTER, systems.list_systems, listing=True),
        named_route(
            "POST", f"{_BASE}/systems", WRITE_REGISTER, systems.add_system, request=_FIELDS
        ),
        named_route("GET", one, READ_REGISTER, systems.show_system),
        named_route("PATCH", one, WRITE_REGISTER, systems.change_system, request=_CHANGE),
        named_route(
            "POST",
            f"{one}/retirement",
            WRITE_REGISTER,
            systems.retire_system,
            request=_RETIREMENT,
        ),
        named_route("GET", f"{one}/filing-sheet", READ_REGISTER, systems.export_filing_sheet),
        named_route(
            "POST", f"{_BASE}/gradings", READ_REGISTER, systems.grade_system, request=_HARMS
        ),
        named_route("GET", f"{one}/assets", READ_REGISTER, assets.list_assets, listing=True),
        named_route("POST", f"{one}/assets", WRITE_REGISTER, assets.add_asset, request=_FIELDS),
        named_route("GET", asset, READ_REGISTER, assets.show_asset),
        named_route("PATCH", asset, WRITE_REGISTER, assets.change_asset, request=_CHANGE),
        named_route(
            "POST",
            f"{asset}/retirement",
            WRITE_REGISTER,
            assets.retire_asset,
            request=_RETIREMENT,
        ),
        named_route("GET", f"{_BASE}/source-coverage", READ_REGISTER, assets.show_source_coverage),
        *_supplier_routes(_Suppliers(register)),
    )


def _supplier_routes(suppliers: _Suppliers) -> tuple[Route, ...]:
    base = f"{_BASE}/supplier-accesses"
    return (
        named_route("GET", base, READ_REGISTER, suppliers.list_supplier_accesses, listing=True),
        named_route(
            "POST",
            f"{_BASE}/systems/<system_id>/supplier-accesses",
            WRITE_REGISTER,
            suppliers.add_supplier_access,
            request=_FIELDS,
        ),
        named_route(
            "POST",
            f"{base}/<access_id>/ending",
            WRITE_REGISTER,
            suppliers.end_supplier_access,
            request=_ENDING,
        ),
    )


def _table_routes(tables: _Tables) -> tuple[Route, ...]:
    return (
        named_route(
            "POST",
            f"{_BASE}/system-tables/preview",
            WRITE_REGISTER,
            tables.preview_systems,
            max_body=MAX_TABLE,
        ),
        named_route(
            "POST",
            f"{_BASE}/system-tables",
            WRITE_REGISTER,
            tables.import_systems,
            max_body=MAX_TABLE,
        ),
        named_route("GET", f"{_BASE}/system-tables", READ_REGISTER, tables.export_systems),
    )
