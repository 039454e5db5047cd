"""Records of evidence: the list, one record, uploading, reading, withdrawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.records import (
    EVIDENCE_KINDS,
    RECORD_KINDS,
    RECORD_STATES,
    USUAL_DAYS,
    NewRecord,
    RecordFilter,
)
from audits.service.records.documents import download_name, record_document
from audits.service.records.records import MAX_DOCUMENT, RecordView
from audits.service.systems.forms import last_day
from secops.console.parts import Desk, chosen_file, get_page, post_page, version_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_, translate
from secops.kernel.permissions.audits import READ_RECORDS, READ_REGISTER, WRITE_RECORDS
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_BADGES: Final = {"valid": "good", "soon": "warn", "expired": "bad", "withdrawn": ""}
_COLUMNS: Final = (
    Column("title", N_("材料")),
    Column("kind", N_("类别")),
    Column("system", N_("系统")),
    Column("held", N_("发生日期")),
    Column("expires", N_("有效期至")),
    Column("state", N_("状态")),
    Column("items", N_("条目")),
)


@dataclass(frozen=True, slots=True)
class _Records:
    desk: Desk

    def list_records(self, request: Request) -> Response:
        """Show records, the last uploaded first, narrowed as the address says."""
        service, caller = self.desk.parts.audits.records, request.caller
        wanted = RecordFilter(
            **{name: request.query.get(name, "") for name in ("kind", "system_id", "item", "state")}
        )
        page = service.list_records(caller, wanted, wanted_page(request))
        names = self._systems(request)
        rows = [_row(request, view, names) for view in page.items]
        table = Table(N_("举证材料"), _COLUMNS, rows, page.next, N_("没有举证材料"))
        return self.desk.list_page(
            request,
            "audits/records.html",
            table,
            kinds=RECORD_KINDS,
            states=RECORD_STATES,
            evidence_kinds=EVIDENCE_KINDS,
            usual_days=USUAL_DAYS,
            systems=names,
            chosen=wanted,
            may_write=caller.may(WRITE_RECORDS),
        )

    def add_record(self, request: Request) -> Response:
        """Keep a record with its document."""
        upload, form = chosen_file(request, "document", "a file is needed"), request.form
        new = NewRecord(
            kind=form.get("kind", ""),
            title=form.get("title", ""),
            held_on=form.get("held_on", ""),
            filename=upload.filename,
            system_id=form.get("system_id", ""),
            evidence_kind=form.get("evidence_kind", ""),
            person=form.get("person", ""),
            note=form.get("note", ""),
            items=tuple(form.get("items", "").split()),
            expires_on="-" if form.get("endless") else form.get("expires_on", ""),
        )
        record = self.desk.parts.audits.records.add_record(request.caller, new, upload.content)
        return redirect(f"/records/{record.id}")

    def show_record(self, request: Request) -> Response:
        """Show what is known of a record; its document is asked for apart."""
        caller = request.caller
        view = self.desk.parts.audits.records.show_record(caller, request.args["record_id"])
        record = view.record
        return self.desk.page(
            request,
            "audits/record.html",
            record=record,
            document=record_document(view),
            state=RECORD_STATES[view.state],
            badge=_BADGES[view.state],
            kind=RECORD_KINDS[record.kind],
            evidence_kind=EVIDENCE_KINDS[record.evidence_kind],
            system=self._systems(request).get(record.system_id, record.system_id),
            names=self.desk.account_names(request, [record.uploaded_by]),
            may_write=caller.may(WRITE_RECORDS) and not record.withdrawn_at,
        )

    def read_record(self, request: Request) -> Response:
        """Give the document; who read it stands in the ledger."""
        record, content = self.desk.parts.audits.records.read_record(
            request.caller, request.args["record_id"]
        )
        return file_response(content, record.media_type, download_name(record))

    def withdraw_record(self, request: Request) -> Response:
        """Let a wrong record count no more."""
        record_id = request.args["record_id"]
        self.desk.parts.audits.records.withdraw_record(
            request.caller, record_id, version_of(request), request.form.get("reason", "")
        )
        return redirect(f"/records/{record_id}")

    def _systems(self, request: Request) -> dict[str, str]:
        if not request.caller.may(READ_REGISTER):
            return {}
        systems = self.desk.parts.audits.register.systems.live_systems(request.caller)
        return {system.id: system.name for system in systems}


def _row(request: Request, view: RecordView, names: dict[str, str]) -> tuple[Cell, ...]:
    record, language = view.record, request.language
    everywhere = translate(N_("全部系统"), language)
    ends = Cell("—", sort=0)
    if record.expires_at:
        ends = Cell(last_day(record.expires_at), sort=record.expires_at)
    return (
        Cell(record.title, href=f"/records/{record.id}"),
        Cell(RECORD_KINDS[record.kind].into(language)),
        Cell(names.get(record.system_id, record.system_id) if record.system_id else everywhere),
        Cell(last_day(record.held_at + 1), sort=record.held_at),
        ends,
        Cell(RECORD_STATES[view.state].into(language), badge=_BADGES[view.state]),
        Cell("、".join(record.items)),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of records."""
    here = _Records(desk)
    one = "/records/<record_id>"
    return (
        get_page("/records", "show_records", READ_RECORDS, here.list_records),
        post_page(
            "/records",
            "add_record_form",
            WRITE_RECORDS,
            here.add_record,
            max_body=MAX_DOCUMENT + FRAMING,
        ),
        get_page(one, "show_record_page", READ_RECORDS, here.show_record),
        get_page(f"{one}/document", "read_record_page", READ_RECORDS, here.read_record),
        post_page(f"{one}/withdraw", "withdraw_record_form", WRITE_RECORDS, here.withdraw_record),
    )
