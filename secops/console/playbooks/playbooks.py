"""The register of playbooks: imported with the list of problems, approved with the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models.playbooks import PlaybookView
from playbooks.service.playbooks.documents import outline_of
from playbooks.service.playbooks.importing import preview_import
from secops.console.parts import FRESH, Desk, chosen_file, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.playbooks import (
    PLAYBOOK_APPROVE,
    PLAYBOOK_IMPORT,
    PLAYBOOK_READ,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

STATES: Final = {
    "draft": N_("草稿"),
    "approved": N_("已批准"),
    "retired": N_("已停用"),
}
ORIGINS: Final = {
    "own": N_("本单位签名"),
    "foreign": N_("可信伙伴签名"),
    "unsigned": N_("无有效签名"),
}
CHANGES: Final = {
    "command_by_hand": N_("命令不执行,改为人工步骤"),
    "signatures_dropped": N_("内容已改动,原签名不再适用,已去除"),
}
LEVELS: Final = {"error": N_("错误"), "warning": N_("警告")}
_UNPROCESSABLE: Final = 422
_COLUMNS: Final = (
    Column("name", N_("名称")),
    Column("version", N_("版本")),
    Column("state", N_("状态")),
    Column("signature", N_("签名")),
    Column("imported", N_("导入时间")),
)


@dataclass(frozen=True, slots=True)
class _Playbooks:
    desk: Desk

    def list_playbooks(self, request: Request) -> Response:
        """Show the register, and what of the release is not in it."""
        register = self.desk.parts.playbooks.playbooks
        page = register.list_playbooks(request.caller, wanted_page(request))
        rows = [self._row(request, view) for view in page.items]
        adopted = {view.packaged for view in page.items}
        waiting = [
            (name, one.name) for name, one in register.packaged().items() if name not in adopted
        ]
        return self.desk.list_page(
            request,
            "playbooks/playbooks.html",
            Table(N_("剧本库"), _COLUMNS, rows, page.next),
            waiting=waiting,
            may_import=request.caller.may(PLAYBOOK_IMPORT),
        )

    def _row(self, request: Request, view: PlaybookView) -> tuple[Cell, ...]:
        entry, word = view.entry, self.desk.renderer.word
        good = "good" if view.origin != "unsigned" else "warn"
        return (
            Cell(entry.name, href=f"/playbooks/{entry.content_hash}"),
            Cell(entry.modified),
            Cell(word(request, STATES[entry.state])),
            Cell(word(request, ORIGINS[view.origin]), badge=good),
            Cell("", instant=entry.imported_at),
        )

    def show_playbook(self, request: Request) -> Response:
        """Show one entry: who signed it, its steps, and how it differs from the last version."""
        register, name = self.desk.parts.playbooks.playbooks, request.args["content_hash"]
        view = register.show_playbook(request.caller, name)
        caller, entry = request.caller, view.entry
        return self.desk.page(
            request,
            "playbooks/playbook.html",
            view=view,
            entry=entry,
            state=STATES[entry.state],
            origin=ORIGINS[view.origin],
            outline=outline_of(entry),
            comparison=register.compare_playbook(caller, name),
            may_approve=entry.state == "draft"
            and caller.may(PLAYBOOK_APPROVE)
            and caller.id != entry.imported_by,
            may_retire=entry.state == "approved" and caller.may(PLAYBOOK_APPROVE),
        )

    def import_playbook(self, request: Request) -> Response:
        """Take a file into the register, or show everything that is wrong with it."""
        upload = chosen_file(request, "file", "choose a playbook's JSON file")
        draft, problems = preview_import(upload.content)
        if draft is None:
            return self._report(request, _UNPROCESSABLE, problems=problems)
        register = self.desk.parts.playbooks.playbooks
        imported = register.import_playbook(request.caller, upload.content)
        return self._report(
            request, 200, problems=problems, imported=imported, changes=imported.changes
        )

    def _report(self, request: Request, status: int, **context: object) -> Response:
        words = {"changes": (), "imported": None, **context}
        return self.desk.page(
            request,
            "playbooks/import.html",
            status,
            levels=LEVELS,
            change_words=CHANGES,
            **words,
        )

    def adopt_playbook(self, request: Request) -> Response:
        """Take a playbook of the release into the register, as a draft."""
        register = self.desk.parts.playbooks.playbooks
        entry = register.adopt_playbook(request.caller, request.args["name"])
        return redirect(f"/playbooks/{entry.content_hash}")

    def approve_playbook(self, request: Request) -> Response:
        """Approve or reject the draft that was shown; approving signs it."""
        name = request.args["content_hash"]
        self.desk.parts.playbooks.playbooks.approve_playbook(
            request.caller,
            name,
            grant=granted(request.form),
            reason=request.form.get("reason", ""),
        )
        return redirect(f"/playbooks/{name}")

    def retire_playbook(self, request: Request) -> Response:
        """Take it out of use at once."""
        name = request.args["content_hash"]
        self.desk.parts.playbooks.playbooks.retire_playbook(request.caller, name)
        return redirect(f"/playbooks/{name}")

    def read_playbook_file(self, request: Request) -> Response:
        """Return the playbook with its signatures, the same bytes each time."""
        name = request.args["content_hash"]
        content = self.desk.parts.playbooks.playbooks.export_playbook(request.caller, name)
        return file_response(content, "application/json", f"playbook-{name[:12]}.json")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the register's pages."""
    here = _Playbooks(desk)
    one = "/playbooks/<content_hash>"
    return (
        get_page("/playbooks", "show_playbooks", PLAYBOOK_READ, here.list_playbooks),
        post_page(
            "/playbooks/import", "import_playbook_form", PLAYBOOK_IMPORT, here.import_playbook
        ),
        post_page(
            "/playbooks/packaged/<name>",
            "adopt_playbook_form",
            PLAYBOOK_IMPORT,
            here.adopt_playbook,
        ),
        get_page(one, "show_playbook_page", PLAYBOOK_READ, here.show_playbook),
        get_page(f"{one}/file", "read_playbook_file", PLAYBOOK_READ, here.read_playbook_file),
        post_page(
            f"{one}/approve",
            "approve_playbook_form",
            PLAYBOOK_APPROVE,
            here.approve_playbook,
            **FRESH,
        ),
        post_page(f"{one}/retire", "retire_playbook_form", PLAYBOOK_APPROVE, here.retire_playbook),
    )
