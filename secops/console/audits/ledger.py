"""The ledger: entries, one entry with its proof, and verification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from audits.errors import NotCheckpointed
from audits.models import EntryFilter
from audits.service.ledger.changes import entry_changes
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.permissions.audits import READ_LEDGER, VERIFY_LEDGER
from secops.web.messages import Request, Response
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("index", N_("序号")),
    Column("at", N_("时间")),
    Column("action", N_("动作")),
    Column("actor", N_("行为人")),
    Column("target", N_("对象")),
    Column("outcome", N_("结果")),
)
_BADGES: Final = {"done": "good", "refused": "warn", "failed": "bad", "unknown": "bad"}


@dataclass(frozen=True, slots=True)
class _Ledger:
    desk: Desk

    def list_entries(self, request: Request) -> Response:
        """Show entries, newest first; filters stand in the address."""
        query = request.query
        wanted = EntryFilter(
            action=query.get("action") or None,
            actor_id=query.get("actor") or None,
            target=query.get("target") or None,
            outcome=query.get("outcome") or None,
            since=local_instant(query.get("since", "")),
            until=local_instant(query.get("until", "")),
        )
        ledger = self.desk.parts.audits.ledger
        page = ledger.list_entries(request.caller, wanted_page(request), wanted)
        rows = [
            (
                Cell(str(row.index), href=f"/ledger/{row.index}", sort=row.index),
                Cell("", instant=row.at),
                Cell(row.action),
                Cell(row.actor_id),
                Cell(row.target),
                Cell(row.outcome, badge=_BADGES.get(row.outcome, "")),
            )
            for row in page.items
        ]
        table = Table(N_("账本记录"), _COLUMNS, rows, page.next)
        return self.desk.list_page(
            request,
            "audits/ledger.html",
            table,
            checkpoint=ledger.latest_checkpoint(),
            query=query,
            verdict=None,
            may_verify=request.caller.may(VERIFY_LEDGER),
        )

    def show_entry(self, request: Request) -> Response:
        """Show one entry and its inclusion proof."""
        ledger, reference = self.desk.parts.audits.ledger, request.args["entry"]
        stored = ledger.get_entry(request.caller, reference)
        try:
            proof = ledger.prove_entry(request.caller, reference)
        except NotCheckpointed:
            proof = ""
        record = orjson.dumps(orjson.loads(stored.entry.record), option=orjson.OPT_INDENT_2)
        return self.desk.page(
            request,
            "audits/entry.html",
            stored=stored,
            record=record.decode(),
            proof=proof,
            changes=entry_changes(ledger, request.caller, stored),
        )

    def verify_ledger(self, request: Request) -> Response:
        """Recompute the whole ledger now."""
        verdict = self.desk.parts.audits.ledger.verify_ledger(request.caller)
        return self.desk.page(request, "audits/verified.html", verdict=verdict)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the ledger pages."""
    here = _Ledger(desk)
    return (
        get_page("/ledger", "show_ledger", READ_LEDGER, here.list_entries),
        get_page("/ledger/<entry>", "show_entry_page", READ_LEDGER, here.show_entry),
        post_page("/ledger/verify", "verify_ledger_form", VERIFY_LEDGER, here.verify_ledger),
    )
